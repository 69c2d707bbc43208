// Reconciles one resource: load the source, observe the database, decide, plan, preflight (approval, window, backup), execute,
// and return what happened.
//
// Little is remembered between reconciles (reconcile_context.hpp): which plan failed under which declaration, so that a resync
// does not run it again; which files agreed with the ledger; whether the last attempt found the migration lock held.
//
// Threads: reconcile() may run concurrently for different keys, but not for the same key; the work queue ensures that.
// Ownership: borrows everything in ReconcilerParts.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

class Reconciler {
 public:
  explicit Reconciler(ReconcilerParts parts) : parts_(std::move(parts)) {}

  // Reconciles the resource. Errors are in the outcome. `claimed_by`: another resource that is known to own the database;
  // empty: none. A stop request ends a run at its next safe point.
  [[nodiscard]] Outcome reconcile(const DatabaseMigration& resource, const std::string& claimed_by,
                                  const ReconcileCallbacks& callbacks, const StopToken& stop, const Log& log);
  // Drops what is remembered of a deleted resource.
  void forget(const ResourceKey& key);

 private:
  class Run;

  // Moves the memory out; remember() stores it again after the reconcile.
  [[nodiscard]] ReconcileMemory recall(const ResourceKey& key);
  void remember(const ResourceKey& key, ReconcileMemory memory);

  ReconcilerParts parts_;
  std::mutex mutex_;
  std::map<ResourceKey, ReconcileMemory> memories_;
};

}  // namespace athanor::controller
