// What becomes of an event: a new object, one more of a series, or nothing yet.
//
// The first of its kind (object, reason, action, type and note) is created. The second makes it a series at once; later ones
// are counted and written at most once a minute. A series nobody added to for ten minutes is over.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operator/kube/event_recorder.hpp"

namespace athanor::controller {

inline constexpr std::size_t kMaxEventNote = 1'024;
inline constexpr std::size_t kMaxEventWord = 128;  // reason, action, instance

struct EventOccurrence {
  EventRecord record;
  WallTime at;
};

struct EventWrite {
  enum class Kind : std::uint8_t { Create, Update };
  Kind kind = Kind::Create;
  std::string series;  // which one, for forget()
  std::string name_space;
  std::string name;
  KubeObject body;  // the Event, or the merge patch with its series
};

class EventSeries {
 public:
  EventSeries(std::string reporter, std::string instance);
  // What is to be written now, if anything.
  [[nodiscard]] std::vector<EventWrite> add(const EventOccurrence& occurrence, SteadyTime now);
  // Counts that waited long enough; all of them at the end. Series that are over are forgotten.
  [[nodiscard]] std::vector<EventWrite> due(SteadyTime now, bool at_the_end = false);
  // When due() has something to say next.
  [[nodiscard]] std::optional<SteadyTime> next_due() const;
  // The object is gone or was never made: the next occurrence begins anew.
  void forget(const std::string& series);
  [[nodiscard]] std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::string name_space;
    std::string name;
    std::int64_t count = 1;
    bool unwritten = false;
    WallTime last_at;
    SteadyTime last;
    SteadyTime written;
  };
  [[nodiscard]] EventWrite create(const EventOccurrence& occurrence, std::string series, SteadyTime now);
  [[nodiscard]] static EventWrite update(const std::string& series, Known& known, SteadyTime now);
  void make_room(SteadyTime now);

  const std::string reporter_;
  const std::string instance_;
  std::map<std::string, Known> known_;
};

// At most `most` bytes, cut between characters.
[[nodiscard]] std::string cut_text(std::string text, std::size_t most);

}  // namespace athanor::controller
