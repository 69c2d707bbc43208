// The functions of DatabaseMigration for the generic controller.
//
// Threads: the functions are safe from any thread, concurrently for different keys. Ownership: they borrow their arguments.
#pragma once

#include "operator/reconcile/controller.hpp"
#include "operator/reconcile/migration_store.hpp"
#include "operator/reconcile/reconciler.hpp"

namespace athanor::controller {

using MigrationController = Controller<DatabaseMigration, Outcome>;
using MigrationFeed = MigrationController::Feed;
using MigrationChange = MigrationController::Change;

// Returns the functions. `observer`: counts backups.
[[nodiscard]] MigrationController::Kind migration_kind(const MigrationStore& store, Reconciler& reconciler,
                                                       ReconcileObserver& observer, Clock& clock);

// Whether the store still has the declaration that `resource` had when it was read.
[[nodiscard]] DeclarationState declaration_state(const MigrationStore& store, const DatabaseMigration& resource);

}  // namespace athanor::controller
