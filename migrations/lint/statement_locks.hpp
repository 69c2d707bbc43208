// Which locks a statement takes on tables that were there before it, as PostgreSQL 14 to 18 take them.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "migrations/lint/lock_mode.hpp"
#include "migrations/lint/schema_facts.hpp"
#include "migrations/lint/statement_view.hpp"

namespace athanor {

struct TableLock {
  QualifiedName table;
  LockMode mode = LockMode::None;
};

// The lock of one action of ALTER TABLE on its table.
[[nodiscard]] LockMode action_lock(const AlterAction& action);
// One entry a table; tables that a DROP INDEX or REINDEX INDEX locks are named when `facts` know the index. Locks weaker than
// ROW EXCLUSIVE are left out.
[[nodiscard]] std::vector<TableLock> statement_locks(const StatementView& view, const SchemaFacts& facts);

}  // namespace athanor
