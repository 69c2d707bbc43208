// Reads rename hints from a schema file: comments on the line that opens a table, on the line of a column, or on a line of
// their own above it.
//
//   CREATE TABLE customers (          -- renamed from users
//     id bigint PRIMARY KEY,
//     mail text NOT NULL              -- renamed from email
//   );
//
// sqldef's spelling `-- @renamed from=email` and pistachio's `-- pista:renamed-from email` have the same meaning, and so has
// each as a block comment. Views, types, domains, sequences, indexes and named constraints have hints, too. A hint beside the
// label of an enum is read only to be refused: a plan does not rename labels. The old name of a table
// may have its schema before it, that of a column also its table. More words after the old name make the hint unclear: the
// comparison rejects it where it could matter. So it does with a hint on a line that has both the table and new columns of it,
// unless the table is new as well.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

struct RenameHint;

// Appends the hints in `text`. `name` is the file's name, for messages.
void collect_rename_hints(std::string_view text, const std::string& name, std::vector<RenameHint>& hints);

}  // namespace athanor::schema
