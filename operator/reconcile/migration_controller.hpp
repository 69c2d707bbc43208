// DatabaseMigration's part of its controller.
//
// Threads: the functions are safe from any thread, for different keys at once. Ownership: they borrow what they are given.
#pragma once

#include "operator/reconcile/controller.hpp"
#include "operator/reconcile/migration_store.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace athanor::controller {

using MigrationController = Controller<DatabaseMigration, Outcome>;
using MigrationFeed = MigrationController::Feed;
using MigrationChange = MigrationController::Change;

// `observer`: counts backups.
[[nodiscard]] MigrationController::Kind migration_kind(const MigrationStore& store, Reconciler& reconciler,
                                                       ReconcileObserver& observer, Clock& clock);

// Whether the store still declares what `resource` did when it was read.
[[nodiscard]] DeclarationState declaration_state(const MigrationStore& store, const DatabaseMigration& resource);

}  // namespace athanor::controller
