// Questions about indexes that the rules of tables and constraints ask.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/schema/action.hpp"

namespace athanor::schema {

// "USING btree (a) WHERE …": pg_get_indexdef without the names of index and table.
[[nodiscard]] std::string index_body(std::string_view definition);
// Whether this plan creates the index, or the constraint with that index.
[[nodiscard]] bool is_index_made(const ChangeSet& changes, const FactId& table, std::string_view index);
// The index that the replica identity names; empty if it names none.
[[nodiscard]] std::string_view replica_identity_index(const Fact& table);
// Adds CLUSTER ON and REPLICA IDENTITY of the table if they name this new index or constraint.
void choose_index(const ChangeSet& changes, std::uint32_t index, ActionList& actions);

}  // namespace athanor::schema
