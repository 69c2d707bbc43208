// Implements spec.baseline.revision: a database with tables but without a version table is adopted at that revision, once.
//
// Adopting is a stamp: it writes the version table and a row of the ledger and executes nothing. Like every plan it waits for
// approvals, windows, backups and the lock. "Once" is decided by the ledger: a database with an applied, stamped or repaired
// revision in the ledger has a history, even if its version table is empty now.
//
// Threads: one thread per reconcile.
#pragma once

#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// Turns an upgrade from base into the stamp of the baseline where that applies. Error: UnknownRevision when the source does not
// have the revision.
[[nodiscard]] Result<void> apply_baseline(const DatabaseMigration& resource, const Situation& situation, DatabaseAccess& access,
                                          Decision& decision);

// Returns the verdict after the stamp. The upgrade from there follows in the next reconcile, immediately.
[[nodiscard]] Verdict taken_over(const DatabaseMigration& resource, ExecutionReport report);

}  // namespace athanor::controller
