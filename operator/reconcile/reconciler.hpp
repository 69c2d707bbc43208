// One reconcile of one resource: observe, decide, plan, pass the gate, back up, execute, report.
//
// The reconciler holds no state of resources but one memory per key (reconcile_state.hpp): which plan failed for good under
// which declaration (so that a resync does not run it again), which files were compared with the ledger, and whether the last
// attempt met the migration lock.
//
// Threads: reconcile() may run for different keys at once, never twice for one (the work queue sees to that). Ownership:
// borrows everything in ReconcilerParts.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "operator/reconcile/reconcile_state.hpp"

namespace athanor::controller {

class Reconciler {
 public:
  explicit Reconciler(ReconcilerParts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] Outcome reconcile(const DatabaseMigration& resource, const std::string& claimed_by, const ReconcileNotes& notes,
                                  const StopToken& stop, const Log& log);
  void forget(const ResourceKey& key);

 private:
  class Run;

  // Takes it out: who reconciles brings it back.
  [[nodiscard]] ReconcileMemory recall(const ResourceKey& key);
  void remember(const ResourceKey& key, ReconcileMemory memory);

  ReconcilerParts parts_;
  std::mutex mutex_;
  std::map<ResourceKey, ReconcileMemory> memories_;
};

}  // namespace athanor::controller
