// Which locks a statement takes on tables that were there before it, as PostgreSQL 14 to 18 take them.
//
// Threads: pure functions.
#pragma once

#include <vector>

#include "migrations/lint/known_schema.hpp"
#include "migrations/lint/lock_mode.hpp"
#include "migrations/lint/statement_view.hpp"

namespace athanor {

struct TableLock {
  QualifiedName table;
  LockMode mode = LockMode::None;
};

// The lock of one action of ALTER TABLE on its table.
[[nodiscard]] LockMode action_lock(const AlterAction& action);
// One entry a table. DROP INDEX and REINDEX INDEX lock the table of their index; where nobody knows which one that is, the
// index stands for it. Locks weaker than ROW EXCLUSIVE are left out, those of LOCK TABLE excepted.
[[nodiscard]] std::vector<TableLock> statement_locks(const StatementView& view, const KnownSchema& facts);

}  // namespace athanor
