// Finds what a table takes over from its parents when it joins or leaves them. As a partition or child, its columns, keys,
// checks and indexes are the parent's; alone, they are its own. Nothing is created or dropped in between, so ATTACH and DETACH
// must not lead to statements for them.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "migrations/schema/change_set.hpp"
#include "migrations/schema/render.hpp"

namespace athanor::schema {

// The table's parents as (schema, name): those of INHERITS in order, or the partitioned table.
[[nodiscard]] std::vector<Names> parents_of(const Fact& table);
// Whether the table has the column from its type (CREATE TABLE … OF).
[[nodiscard]] bool has_from_type(const Catalog& catalog, const Dependencies& dependencies, const FactId& column);
// Whether a parent, at any height, has the column.
[[nodiscard]] bool has_from_parent(const Catalog& catalog, const Fact& table, std::string_view column);

// The fact of the same kind and name on the nearest parent that has one, for a column or default of a partition or child.
[[nodiscard]] std::uint32_t fact_above(const Catalog& catalog, const FactId& id);
// The old parent's fact that became this new one when its table left the parent; kNoFact if the table did not have it before.
[[nodiscard]] std::uint32_t kept_from_parent(const ChangeSet& changes, std::uint32_t new_index);
// The new parent's fact that includes this old one once its table joins; kNoFact if it is really dropped.
[[nodiscard]] std::uint32_t given_to_parent(const ChangeSet& changes, std::uint32_t old_index);
// The new fact of a child's own column that remains of this old column when the parent drops it; kNoFact if there is none.
[[nodiscard]] std::uint32_t left_to_child(const ChangeSet& changes, std::uint32_t old_column);

}  // namespace athanor::schema
