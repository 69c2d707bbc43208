// Which outcome of a reconcile is an event, and with which words.
//
// An event is what somebody who runs `kubectl describe` would want to have seen happen: a migration applied, stalled or to be
// tried again, a plan that waits for approval, a backup taken. That nothing was to be done is no event, nor is a state that
// lasts: only attempts are told again, as a series. Types, reasons and actions are listed in docs/spec/database-migration.md.
//
// Threads: safe from any thread. Ownership: borrows recorder and store.
#pragma once

#include <optional>

#include "operator/cluster/cluster_store.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

// The event of an outcome without its target; empty when it is none. `news`: the status says something else than before.
[[nodiscard]] std::optional<EventRecord> event_of(const Outcome& outcome, bool news);

// Of the backup alone: that one was taken, or that there is none and nobody insists on it.
[[nodiscard]] std::optional<EventRecord> backup_event_of(const Outcome& outcome);

class EventReporter {
 public:
  EventReporter(EventRecorder& recorder, const ClusterStore& store) : recorder_(recorder), store_(store) {}
  void note(const ResourceKey& key, const Outcome& outcome, bool news);

 private:
  EventRecorder& recorder_;
  const ClusterStore& store_;
};

}  // namespace athanor::controller
