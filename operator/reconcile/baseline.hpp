// spec.baseline.revision: a database with tables and without a version table is taken over at that revision, once.
//
// Taking over is a stamp: it writes the version table and a row of the ledger and runs nothing, and it waits for approvals,
// windows, backups and the lock as every plan does. "Once" is the ledger's: a database of which it knows an applied, stamped or
// repaired revision has a history, whatever its version table says now.
//
// Threads: as the reconcile.
#pragma once

#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// Turns an upgrade from nothing into the stamp of the baseline where that applies. UnknownRevision when the source has no such
// revision.
[[nodiscard]] Result<void> apply_baseline(const DatabaseMigration& resource, const Situation& situation, DatabaseAccess& access,
                                          Decision& decision);

// The verdict after the stamp: the upgrade from there comes with the next reconcile, at once.
[[nodiscard]] Verdict taken_over(const DatabaseMigration& resource, ExecutionReport report);

}  // namespace athanor::controller
