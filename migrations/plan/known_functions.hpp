// Lists functions whose call destroys nothing, by name.
//
// A function that is not listed is unknown, and a call of an unknown function may do anything.
//
// Threads: pure functions.
#pragma once

#include <string_view>

namespace athanor {

// Whether `name` (lower case, unqualified) is a function of PostgreSQL 14 to 18, or of an extension shipped with it, that
// neither deletes nor overwrites anything and does not run SQL passed as text.
[[nodiscard]] bool is_known_function(std::string_view name);
// Whether `name` is a function of the server that does: large objects, replication slots, dblink, SQL passed as text. Such a
// call counts wherever it appears.
[[nodiscard]] bool is_dangerous_function(std::string_view name);

}  // namespace athanor
