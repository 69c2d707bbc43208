// Renames that the author of a schema file says: a comment on the line that opens the table, or on the line of the column.
//
//   CREATE TABLE customers (          -- renamed from users
//     id bigint PRIMARY KEY,
//     mail text NOT NULL              -- renamed from email
//   );
//
// sqldef's spelling `-- @renamed from=email` means the same, and `-- renamed from users` on the line above CREATE TABLE too.
// The old name of a table may have its schema before it, that of a column its table too. Words behind the old name make the
// hint unclear: whoever compares the schemas refuses it where it could matter.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

struct RenameHint;

// Appends the hints of `text`. `name` is its file's, for messages.
void collect_rename_hints(std::string_view text, const std::string& name, std::vector<RenameHint>& hints);

}  // namespace athanor::schema
