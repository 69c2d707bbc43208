// Which outcomes of reconciles become events, and with which words.
//
// An event is what somebody who runs `kubectl describe` would want to see: a migration applied, stalled or to be retried, a
// plan that waits for approval, a backup taken. A reconcile that found nothing to do is no event, and a state that lasts is one
// event; only attempts are reported again, as a series. Types, reasons and actions are listed in
// docs/spec/database-migration.md.
//
// Threads: safe from any thread. Ownership: borrows recorder and store.
#pragma once

#include <optional>

#include "operator/cluster/cluster_store.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/reconcile/migration_controller.hpp"

namespace athanor::controller {

// The event of an outcome, without its target; empty when it is none. `ready_changed`: the condition Ready differs from before.
[[nodiscard]] std::optional<EventRecord> event_of(const Outcome& outcome, bool ready_changed);

// The event of the backup alone: it was taken, or it failed and the policy does not require it.
[[nodiscard]] std::optional<EventRecord> backup_event_of(const Outcome& outcome);

// The schema was changed by hand, is as it was again, or cannot be compared any more.
[[nodiscard]] std::optional<EventRecord> drift_event_of(const Outcome& outcome);

// The event of a run that begins to wait for a lock of another session.
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
