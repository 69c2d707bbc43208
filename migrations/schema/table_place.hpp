// What a table has from its parents, when it joins or leaves them: as a partition or child its columns, keys, checks and
// indexes are the parent's, alone they are its own, and nothing is made or dropped in between.
//
// Threads: pure functions.
#pragma once

#include <cstdint>

#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// The fact of the same kind and name on the nearest parent that has one: of a partition's or child's column or default.
[[nodiscard]] std::uint32_t fact_above(const Catalog& catalog, const FactId& id);
// The old parent's fact that became this new one when its table left; kNoFact when the table did not have it before.
[[nodiscard]] std::uint32_t kept_from_parent(const ChangeSet& changes, std::uint32_t new_index);
// The new parent's fact that this old one becomes part of when its table joins; kNoFact when it is really gone.
[[nodiscard]] std::uint32_t given_to_parent(const ChangeSet& changes, std::uint32_t old_index);
// The new fact of a child's own column that this old column of its parent is left as, when the parent drops it; kNoFact if
// none.
[[nodiscard]] std::uint32_t left_to_child(const ChangeSet& changes, std::uint32_t old_column);

}  // namespace athanor::schema
