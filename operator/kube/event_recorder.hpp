// Events (events.k8s.io/v1): what happened to a resource, for `kubectl describe` and alerting.
//
// record() never blocks and never fails: events are written by a thread of their own and are dropped, and counted, when the
// server does not keep up. Repeats of the same event (object, reason, action, type, note) within ten minutes become one object
// with a series. Notes are cut to 1 kB, reasons and actions to 128 characters.
//
// A refused event (no right to write it, its namespace is going away) is dropped and not tried again; when the server cannot be
// reached it is tried three times. A series counts on in memory and is written at its second event, then once a minute.
//
// Threads: record() from any thread. Ownership: borrows client and clock.
#pragma once

#include <cstdint>
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
  // Writes what is left, for two seconds at most after the request then under way; later events are dropped. The destructor
  // does the same.
  virtual void close() = 0;
  // Events that were never written: the queue was full, the server refused them, or there was no time left at the end.
  [[nodiscard]] virtual std::uint64_t dropped() const { return 0; }
};

// `reporter`: "athanor-operator"; `instance`: the pod's name.
[[nodiscard]] std::unique_ptr<EventRecorder> make_event_recorder(KubeClient& client, Clock& clock, std::string reporter,
                                                                 std::string instance, Log log);

}  // namespace athanor::controller
