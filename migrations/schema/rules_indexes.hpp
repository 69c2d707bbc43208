// What tables and constraints ask about indexes.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/schema/action.hpp"

namespace athanor::schema {

// "USING btree (a) WHERE …": pg_get_indexdef without the names.
[[nodiscard]] std::string index_body(std::string_view definition);
// The index, or constraint with that index, is made by this plan.
[[nodiscard]] bool is_index_made(const ChangeSet& changes, const FactId& table, std::string_view index);
// The index that the replica identity names; empty when there is none.
[[nodiscard]] std::string_view replica_identity_index(const Fact& table);
// CLUSTER ON and REPLICA IDENTITY of the table that name this new index or constraint.
void choose_index(const ChangeSet& changes, std::uint32_t index, ActionList& actions);

}  // namespace athanor::schema
