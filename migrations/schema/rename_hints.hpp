// Reads rename hints from a schema file: comments on the line that opens a table, or on the line of a column.
//
//   CREATE TABLE customers (          -- renamed from users
//     id bigint PRIMARY KEY,
//     mail text NOT NULL              -- renamed from email
//   );
//
// sqldef's spelling `-- @renamed from=email` has the same meaning, and `-- renamed from users` may also be on the line above
// CREATE TABLE. The old name of a table may have its schema before it, that of a column also its table. More words after the
// old name make the hint unclear: the comparison rejects it where it could matter. So it does with a hint on a line that has
// both the table and new columns of it, unless the table is new as well.
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
