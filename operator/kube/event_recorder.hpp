// Events (events.k8s.io/v1): what happened to a resource, for `kubectl describe` and alerting.
//
// record() never blocks and never fails: events are written by a thread of their own and are dropped, and counted, when the
// server does not keep up. Repeats of the same event (object, reason, action, type, note) within ten minutes become one object with a
// series. Notes are cut to 1 kB, reasons and actions to 128 characters.
//
// Threads: record() from any thread. Ownership: borrows client and clock; the destructor writes what is left, for two seconds at
// most.
#pragma once

#include <memory>
#include <string>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

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
  virtual void record(EventRecord event) = 0;
};

// `reporter`: "athanor-operator"; `instance`: the pod's name.
[[nodiscard]] std::unique_ptr<EventRecorder> make_event_recorder(KubeClient& client, Clock& clock, std::string reporter,
                                                                 std::string instance, Log log);

}  // namespace athanor::controller
