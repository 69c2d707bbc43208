// Records Kubernetes Events (events.k8s.io/v1) about a resource, for `kubectl describe` and alerting.
//
// A background thread writes the events. Repeats of an event within ten minutes are aggregated into one object with a series
// (see event_series.hpp).
//
// Threads: record() and dropped() from any thread; close() from one thread only. Ownership: see make_event_recorder().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

// The object an event is about. `resource_version` may be empty.
struct EventTarget {
  ResourceType type;
  ResourceKey key;
  std::string uid;
  std::string resource_version;
};

enum class EventType : std::uint8_t { Normal, Warning };

struct EventRecord {
  EventTarget regarding;
  EventType type = EventType::Normal;
  std::string reason;  // CamelCase, one of a closed list
  std::string action;  // "Migrate", "Plan", "Backup"
  std::string note;
};

class EventRecorder {
 public:
  virtual ~EventRecorder() = default;
  // Queues an event. Never blocks and never fails: an event is dropped and counted when the queue (1,000 events) is full or the
  // server refuses it. A write is attempted three times when the server is unreachable or throttles. Notes are cut to 1 KiB,
  // reasons and actions to 128 bytes.
  virtual void record(EventRecord event) = 0;
  // Writes the queued events, for at most two seconds after the request then in progress, and drops later ones. The destructor
  // does the same.
  virtual void close() = 0;
  // The number of events that were never written: the queue was full, the server refused them, or close() ran out of time.
  [[nodiscard]] virtual std::uint64_t dropped() const { return 0; }
};

// Borrows `client` and `clock`. `reporter`: reportingController, "athanor-operator"; `instance`: the pod's name.
[[nodiscard]] std::unique_ptr<EventRecorder> make_event_recorder(KubeClient& client, Clock& clock, std::string reporter,
                                                                 std::string instance, Log log);

}  // namespace athanor::controller
