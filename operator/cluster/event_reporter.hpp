// Decides which outcomes of reconciles become Kubernetes Events, and their texts.
//
// Events show what a user of `kubectl describe` wants to know: a migration was applied, stalled or will be retried, a plan
// waits for approval, a backup was taken. A reconcile with nothing to do produces no event, and a lasting state produces one;
// only repeated attempts are reported again, as a series. docs/spec/database-migration.md lists types, reasons and actions.
//
// Threads: safe from any thread. Ownership: borrows recorder and store.
#pragma once

#include <optional>

#include "operator/cluster/cluster_store.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/reconcile/migration_controller.hpp"

namespace athanor::controller {

// Returns the event of an outcome, without its target; nullopt when it is none. `ready_changed`: whether the condition Ready
// changed.
[[nodiscard]] std::optional<EventRecord> event_of(const Outcome& outcome, bool ready_changed);

// Returns the event of the backup: it was taken, or it failed and the policy does not require it.
[[nodiscard]] std::optional<EventRecord> backup_event_of(const Outcome& outcome);

// Returns the event of the drift check: the schema was changed by hand, matches again, or can no longer be compared.
[[nodiscard]] std::optional<EventRecord> drift_event_of(const Outcome& outcome);
[[nodiscard]] std::optional<EventRecord> lint_event_of(const Outcome& outcome);

// Returns the event of a run that starts waiting for another session's lock.
[[nodiscard]] std::optional<EventRecord> wait_event_of(const DatabaseMigrationStatus& status);

class EventReporter {
 public:
  EventReporter(EventRecorder& recorder, const ClusterStore& store) : recorder_(recorder), store_(store) {}

  // Subscriber of the status feed: records the events of a change, if any. Does not block.
  void report(const MigrationChange& change);

 private:
  EventRecorder& recorder_;
  const ClusterStore& store_;
};

}  // namespace athanor::controller
