// The locks that a statement takes on existing tables, in PostgreSQL 14 to 18.
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
// One entry per table. DROP INDEX and REINDEX INDEX lock the index's table; if that is unknown, the entry names the index.
// Omits locks weaker than ROW EXCLUSIVE, except those of LOCK TABLE.
[[nodiscard]] std::vector<TableLock> statement_locks(const StatementView& view, const KnownSchema& facts);

}  // namespace athanor
