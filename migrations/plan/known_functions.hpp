// Functions whose call takes nothing away, by name.
//
// Whatever is not in the list is unknown, and a call of an unknown function may do anything.
//
// Threads: pure functions.
#pragma once

#include <string_view>

namespace athanor {

// Whether `name` (lower case, unqualified) is a function of PostgreSQL 14 to 18, or of an extension that comes with it, that
// deletes and overwrites nothing and runs no SQL that it is given as text.
[[nodiscard]] bool is_known_function(std::string_view name);
// Whether `name` is one of the server's that does: large objects, replication slots, dblink, SQL given as text. Such a call
// counts wherever it is written down.
[[nodiscard]] bool is_dangerous_function(std::string_view name);

}  // namespace athanor
