// Renames that the author of a schema file says: a comment on the line that opens the table, or on the line of the column.
//
//   CREATE TABLE customers (          -- renamed from users
//     id bigint PRIMARY KEY,
//     mail text NOT NULL              -- renamed from email
//   );
//
// sqldef's spelling `-- @renamed from=email` means the same, and `-- renamed from users` on the line above CREATE TABLE too.
// A hint whose old name is nowhere any more has been followed already and has no effect.
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
