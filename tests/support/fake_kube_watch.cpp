#include <algorithm>
#include <utility>

#include "tests/support/fake_kube.hpp"

namespace athanor::test {

using controller::WatchEvent;
using controller::WatchOptions;

namespace {

std::string id_of(const ResourceType& type) {
  return type.plural + "." + type.group;
}

bool selected(const KubeObject& object, const WatchOptions& options) {
  return object.is_object() &&
         (options.name_space.empty() ||
          object.value("/metadata/namespace"_json_pointer, std::string()) == options.name_space) &&
         matches_selectors(object, options.label_selector, options.field_selector);
}

WatchEvent bookmark(const ResourceType& type, std::uint64_t version, bool initial_end) {
  WatchEvent event{WatchEvent::Kind::Bookmark,
                   {{"apiVersion", type.api_version()},
                    {"kind", type.kind},
                    {"metadata", {{"resourceVersion", std::to_string(version)}, {"creationTimestamp", nullptr}}}},
                   initial_end};
  if (initial_end) {
    event.object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  }
  return event;
}

}  // namespace

// The position of one watch: the last version it delivered, and how many endings and bookmarks it has seen.
struct FakeKube::Cursor {
  std::uint64_t version = 0;
  std::uint64_t endings = 0;
  std::uint64_t bookmarks = 0;
};

Result<std::vector<WatchEvent>> FakeKube::first_events(const ResourceType& type, const WatchOptions& options, Cursor& cursor) {
  cursor = {version_, endings_, bookmarks_};
  if (options.send_initial_events && !watch_list_) {
    return athanor::fail(ErrorCode::ApiInvalid, "sendInitialEvents: Forbidden: the WatchList feature gate is off (status 422)");
  }
  std::vector<WatchEvent> events;
  if (!options.send_initial_events && !options.resource_version.empty() && options.resource_version != "0") {
    cursor.version = std::stoull(options.resource_version);
    if (cursor.version < compacted_) {
      return athanor::fail(ErrorCode::ApiExpired, "too old resource version (status 410)");
    }
    return events;
  }
  for (const auto& [id, each] : objects_) {
    if (id.first == id_of(type) && selected(each, options)) {
      events.push_back({WatchEvent::Kind::Added, each, false});
    }
  }
  if (options.send_initial_events && end_mark_) {
    events.push_back(bookmark(type, version_, true));
  }
  return events;
}

// As an API server does: an object that starts to match the selector is Added for this watch, one that stops matching is
// Deleted.
std::optional<WatchEvent> FakeKube::next_event(const ResourceType& type, const WatchOptions& options, Cursor& cursor) {
  const auto from = std::ranges::upper_bound(history_, cursor.version, {}, &Change::version);
  for (auto change = from; change != history_.end(); ++change) {
    cursor.version = change->version;
    if (change->type != id_of(type)) {
      continue;
    }
    const bool was = selected(change->before, options);
    const bool is = !change->removed && selected(change->object, options);
    if (was || is) {
      const auto kind = !is ? WatchEvent::Kind::Deleted : was ? WatchEvent::Kind::Modified : WatchEvent::Kind::Added;
      return WatchEvent{kind, change->object, false};
    }
  }
  if (std::exchange(cursor.bookmarks, bookmarks_) != bookmarks_) {
    return bookmark(type, cursor.version = version_, false);
  }
  return std::nullopt;
}

Result<void> FakeKube::watch(const ResourceType& type, const WatchOptions& options, const EventHandler& on_event,
                             const StopToken& stop) {
  const auto fault =
      enter({"watch", type.plural, {options.name_space, ""}, {}, {}, options.resource_version, options.send_initial_events});
  const auto broken = [&fault]() -> Result<void> {
    return fault->error ? Result<void>(athanor::fail(*fault->error)) : Result<void>();
  };
  int left = fault ? fault->after_events : -1;
  if (left == 0) {
    return broken();
  }
  std::unique_lock lock(mutex_);
  Cursor cursor;
  TRY_ASSIGN(std::vector<WatchEvent> first, first_events(type, options, cursor));
  struct Open {  // counts the open watches
    explicit Open(std::size_t& count) : open(count) { ++open; }
    ~Open() { --open; }
    std::size_t& open;
  };
  const Open open(open_watches_);
  changed_.notify_all();
  const auto deliver = [&](WatchEvent event) {  // false after the last event before an injected fault
    lock.unlock();
    if (options.metadata_only) {
      event.object = metadata_of(event.object);
    }
    on_event(std::move(event));
    lock.lock();
    return --left != 0;
  };
  for (WatchEvent& event : first) {
    if (!deliver(std::move(event))) {
      return broken();
    }
  }
  while (!stop.requested()) {
    if (std::optional<WatchEvent> event = next_event(type, options, cursor)) {
      if (!deliver(std::move(*event))) {
        return broken();
      }
    } else if (cursor.endings != endings_) {
      return ending_ ? Result<void>(athanor::fail(*ending_)) : Result<void>();
    } else if (on_idle) {
      lock.unlock();
      on_idle();
      lock.lock();
    } else {
      changed_.wait_for(lock, milliseconds(5));  // poll: a stop token cannot wake a condition variable
    }
  }
  return athanor::fail(ErrorCode::Interrupted, "the watch was stopped");
}

}  // namespace athanor::test
