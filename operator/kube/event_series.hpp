// Aggregates equal events (same object, reason, action, type and note) into series and decides what to write when.
//
// The first occurrence creates the Event; the second turns it into a series immediately; later ones are counted and written at
// most once a minute. A series ends after ten minutes without an occurrence.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operator/kube/event_recorder.hpp"

namespace athanor::controller {

// The API server rejects longer values.
inline constexpr std::size_t kMaxEventNote = 1'024;
inline constexpr std::size_t kMaxEventWord = 128;  // reason, action, instance

struct EventOccurrence {
  EventRecord record;
  WallTime at;
};

struct EventWrite {
  enum class Kind : std::uint8_t { Create, Update };
  Kind kind = Kind::Create;
  std::string series;  // key for forget()
  std::string name_space;
  std::string name;
  KubeObject body;  // the Event, or the merge patch with its series
};

class EventSeries {
 public:
  EventSeries(std::string reporter, std::string instance);
  // Counts an occurrence. Returns the writes to send now, in order; often none.
  [[nodiscard]] std::vector<EventWrite> add(const EventOccurrence& occurrence, SteadyTime now);
  // Returns the updates whose minute has passed; with `at_the_end`, all that are unwritten. Drops the series that have ended.
  [[nodiscard]] std::vector<EventWrite> due(SteadyTime now, bool at_the_end = false);
  // Returns when due() will next return a write; nullopt when nothing is unwritten.
  [[nodiscard]] std::optional<SteadyTime> next_due() const;
  // Call it when a write failed: the Event object may not exist, so the next occurrence creates a new one.
  void forget(const std::string& series);
  // The number of series in memory, at most 4,096.
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Series {
    std::string name_space;
    std::string name;
    std::int64_t count = 1;
    bool unwritten = false;
    WallTime last_at;
    SteadyTime last;
    SteadyTime written;
  };
  [[nodiscard]] EventWrite create(const EventOccurrence& occurrence, std::string series, SteadyTime now);
  [[nodiscard]] static EventWrite update(const std::string& series, Series& known, SteadyTime now);
  void evict(SteadyTime now);

  const std::string reporter_;
  const std::string instance_;
  std::map<std::string, Series> known_;
};

// Returns `text` cut to at most `max_bytes`, never inside a UTF-8 sequence.
[[nodiscard]] std::string truncate_utf8(std::string text, std::size_t max_bytes);

}  // namespace athanor::controller
