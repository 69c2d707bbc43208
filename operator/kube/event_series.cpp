#include "operator/kube/event_series.hpp"

#include <algorithm>
#include <utility>

#include "migrations/base/ids.hpp"
#include "migrations/base/sha256.hpp"
#include "operator/kube/micro_time.hpp"

namespace athanor::controller {
namespace {

using std::chrono::minutes;

constexpr minutes kSeriesLifetime{10};
constexpr minutes kUpdateInterval{1};
constexpr std::size_t kMaxSeries = 4'096;
constexpr std::size_t kMaxName = 253;

std::string identity_of(const EventRecord& record) {
  std::string text;
  for (const std::string& part : {record.regarding.type.group, record.regarding.type.plural, record.regarding.key.text(),
                                  record.regarding.uid, record.reason, record.action, record.note}) {
    text += part;
    text += '\0';
  }
  text += record.type == EventType::Warning ? 'W' : 'N';
  return sha256_hex(text).substr(0, 32);  // a digest, because notes are long and thousands of series may be open
}

}  // namespace

std::string truncate_utf8(std::string text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) {
    return text;
  }
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  text.resize(end);
  return text;
}

EventSeries::EventSeries(std::string reporter, std::string instance)
    : reporter_(std::move(reporter)), instance_(truncate_utf8(std::move(instance), kMaxEventWord)) {}

std::vector<EventWrite> EventSeries::add(const EventOccurrence& occurrence, SteadyTime now) {
  std::string series = identity_of(occurrence.record);
  const auto found = known_.find(series);
  if (found == known_.end() || now - found->second.last >= kSeriesLifetime) {
    std::vector<EventWrite> writes;
    if (found != known_.end()) {
      // The series has ended: write its last count before its entry is reused.
      if (found->second.unwritten) {
        writes.push_back(update(series, found->second, now));
      }
      known_.erase(found);
    }
    evict(now);
    writes.push_back(create(occurrence, std::move(series), now));
    return writes;
  }
  Series& known = found->second;
  ++known.count;
  known.last = now;
  known.last_at = occurrence.at;
  known.unwritten = true;
  // Write the second occurrence immediately: it turns the Event into a series, and readers see that it repeats. Limit later
  // ones to one write a minute, because a failing reconcile may repeat the event every few seconds.
  if (known.count > 2 && now - known.written < kUpdateInterval) {
    return {};
  }
  return {update(series, known, now)};
}

std::vector<EventWrite> EventSeries::due(SteadyTime now, bool at_the_end) {
  std::vector<EventWrite> writes;
  for (auto entry = known_.begin(); entry != known_.end();) {
    Series& known = entry->second;
    if (known.unwritten && (at_the_end || now - known.written >= kUpdateInterval)) {
      writes.push_back(update(entry->first, known, now));
    }
    entry = now - known.last >= kSeriesLifetime ? known_.erase(entry) : std::next(entry);
  }
  return writes;
}

std::optional<SteadyTime> EventSeries::next_due() const {
  std::optional<SteadyTime> next;
  for (const auto& [series, known] : known_) {
    if (known.unwritten) {
      next = std::min(next.value_or(SteadyTime::max()), known.written + kUpdateInterval);
    }
  }
  return next;
}

void EventSeries::forget(const std::string& series) {
  known_.erase(series);
}

EventWrite EventSeries::create(const EventOccurrence& occurrence, std::string series, SteadyTime now) {
  const EventTarget& regarding = occurrence.record.regarding;
  EventWrite write;
  // As in client-go, events about cluster-scoped objects go into the namespace `default`.
  write.name_space = regarding.key.name_space.empty() ? std::string(kDefaultNamespace) : regarding.key.name_space;
  write.name = regarding.key.name.substr(0, kMaxName - 17) + "." + random_hex(16);  // 17: the dot and 16 digits
  KubeObject object{{"apiVersion", regarding.type.api_version()}, {"kind", regarding.type.kind}, {"name", regarding.key.name}};
  for (const auto& [field, value] : {std::pair{"namespace", &regarding.key.name_space}, std::pair{"uid", &regarding.uid},
                                     std::pair{"resourceVersion", &regarding.resource_version}}) {
    if (!value->empty()) {
      object[field] = *value;
    }
  }
  write.body = {{"apiVersion", kube::kEvents.api_version()},
                {"kind", kube::kEvents.kind},
                {"metadata", {{"name", write.name}, {"namespace", write.name_space}}},
                {"eventTime", micro_time(occurrence.at)},
                {"reportingController", reporter_},
                {"reportingInstance", instance_},
                {"action", truncate_utf8(occurrence.record.action, kMaxEventWord)},
                {"reason", truncate_utf8(occurrence.record.reason, kMaxEventWord)},
                {"regarding", std::move(object)},
                {"note", truncate_utf8(occurrence.record.note, kMaxEventNote)},
                {"type", occurrence.record.type == EventType::Warning ? "Warning" : "Normal"}};
  known_[series] = Series{write.name_space, write.name, 1, false, occurrence.at, now, now};
  write.series = std::move(series);
  return write;
}

EventWrite EventSeries::update(const std::string& series, Series& known, SteadyTime now) {
  known.unwritten = false;
  known.written = now;
  EventWrite write;
  write.kind = EventWrite::Kind::Update;
  write.series = series;
  write.name_space = known.name_space;
  write.name = known.name;
  write.body = {{"series", {{"count", known.count}, {"lastObservedTime", micro_time(known.last_at)}}}};
  return write;
}

void EventSeries::evict(SteadyTime now) {
  if (known_.size() < kMaxSeries) {
    return;
  }
  std::erase_if(known_, [now](const auto& entry) { return now - entry.second.last >= kSeriesLifetime; });
  // Still full: drop the series that was seen least recently. Its next occurrence creates a new Event.
  if (known_.size() >= kMaxSeries) {
    known_.erase(std::ranges::min_element(known_, {}, [](const auto& entry) { return entry.second.last; }));
  }
}

}  // namespace athanor::controller
