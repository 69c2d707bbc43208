#include "operator/kube/informer.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "operator/kube/transport.hpp"

namespace athanor::controller {
namespace {

// The first watch is short, to detect soon a server that never sends the bookmark that ends a WatchList.
constexpr std::chrono::seconds kFirstWatch{60};
constexpr int kMaxBrokenWatchLists = 2;
// Some servers answer 500 instead of 410 when they cannot resume at a resourceVersion. Ten attempts take about three minutes.
constexpr std::uint64_t kMaxFailedResumptions = 10;
// A watch that ends sooner than this without an event counts as a failure; without back-off this would be a busy loop.
constexpr milliseconds kMinUsefulWatch{1'000};
// The server sends a bookmark every minute. When etcd was restored from a backup, its versions may be days behind ours, and a
// watch from our version stays silent until they catch up.
constexpr milliseconds kMaxSilence{85'000};

const std::string* text_in(const KubeObject& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() ? found->get_ptr<const std::string*>() : nullptr;
}

// The API calls resourceVersions opaque, but in practice they are growing integers. Where they are not, their order is unknown:
// not_newer() returns false and the event is delivered.
bool is_number(std::string_view version) {
  return !version.empty() && version.find_first_not_of("0123456789") == std::string_view::npos;
}
bool not_newer(std::string_view version, std::string_view than) {
  if (!is_number(version) || !is_number(than)) {
    return false;
  }
  return version.size() != than.size() ? version.size() < than.size() : version <= than;
}

struct Identity {
  ResourceKey key;
  std::string resource_version;
};

std::optional<Identity> identity_of(const KubeObject& object) {
  const auto metadata = object.is_object() ? object.find("metadata") : object.end();
  if (metadata == object.end() || !metadata->is_object()) {
    return std::nullopt;
  }
  const std::string* name = text_in(*metadata, "name");
  const std::string* name_space = text_in(*metadata, "namespace");
  const std::string* version = text_in(*metadata, "resourceVersion");
  if (name == nullptr || name->empty() || version == nullptr || version->empty()) {
    return std::nullopt;
  }
  return Identity{{name_space == nullptr ? std::string() : *name_space, *name}, *version};
}

}  // namespace

Informer::Informer(KubeClient& client, Clock& clock, InformerHandler& handler, InformerOptions options, const Log& log)
    : client_(client),
      clock_(clock),
      handler_(handler),
      options_(std::move(options)),
      log_(log.with({{"type", options_.type.plural}})),
      random_(static_cast<std::minstd_rand::result_type>(options_.seed + 1)) {}

void Informer::run(const StopToken& stop) {
  while (!stop.requested()) {
    if (step(stop) && !stop.requested()) {
      pause(stop);
    }
  }
}

InformerStatistics Informer::statistics() const {
  return {lists_, watches_, events_, expired_, failures_};
}

bool Informer::step(const StopToken& stop) {
  if (!resource_version_.empty()) {
    return watch(false, stop);
  }
  if (watch_list_ && broken_watch_lists_ < kMaxBrokenWatchLists) {
    return watch(true, stop);
  }
  return list();
}

bool Informer::list() {
  ListOptions options;
  options.name_space = options_.name_space;
  options.label_selector = options_.label_selector;
  options.field_selector = options_.field_selector;
  options.metadata_only = options_.metadata_only;
  // resource_version stays empty, so the list is read from etcd. "0" would be served from the cache of any API server; after a
  // 410 that cache may be older than what the handler has already seen.
  options.on_restart = [this] { begin_list(); };
  begin_list();
  Result<std::string> listed =
      client_.list(options_.type, options, [this](const KubeObject& object) { deliver(object, false); });
  broken_watch_lists_ = 0;
  if (listed && listed->empty()) {
    listed = fail(ErrorCode::ApiUnreachable, "the API server returned a list without a resourceVersion");
  }
  if (!listed) {
    return handle_error(listed.error(), true);
  }
  finish_list(std::move(*listed));
  return false;
}

bool Informer::watch(bool from_the_beginning, const StopToken& stop) {
  WatchOptions options;
  options.name_space = options_.name_space;
  options.label_selector = options_.label_selector;
  options.field_selector = options_.field_selector;
  options.metadata_only = options_.metadata_only;
  options.resource_version = resource_version_;
  options.send_initial_events = from_the_beginning;
  options.timeout = watch_time(from_the_beginning ? std::min(kFirstWatch, options_.min_watch) : options_.min_watch);
  if (from_the_beginning) {
    begin_list();
  }
  ++watches_;
  received_ = 0;
  const SteadyTime begun = clock_.steady_now();
  const Result<void> ended = client_.watch(
      options_.type, options, [this](WatchEvent event) { handle_event(std::move(event)); }, stop);
  if (stop.requested()) {
    return false;
  }
  const bool incomplete = from_the_beginning && listing_;  // the WatchList broke before its end bookmark
  // An unreadable event may have been any change, also a deletion. Only a new list can tell; resuming would skip the event for
  // good.
  if (!incomplete && gap_) {
    start_over();
  } else if (received_ == 0 && clock_.steady_now() - begun >= kMaxSilence) {
    log_.info("watch was silent, relisting");
    start_over();
  }
  if (!ended) {
    broken_watch_lists_ += incomplete ? 1 : 0;
    return handle_error(ended.error(), incomplete);
  }
  if (incomplete) {
    // The server ended the watch normally but never sent the end bookmark: it ignores sendInitialEvents.
    log_.info("WatchList ended without its end bookmark, listing instead");
    watch_list_ = false;
    return false;
  }
  if (received_ == 0 && clock_.steady_now() - begun < kMinUsefulWatch) {
    ++failures_;
    log_.warn("watch ended immediately");
    return true;
  }
  return false;
}

// Decides how to continue after an error. Returns whether to back off first.
bool Informer::handle_error(const Error& error, bool from_the_beginning) {
  if (error.code == ErrorCode::ApiExpired) {
    ++expired_;
    start_over();
    log_.info("resource version expired, relisting");
    // The first 410 is normal: relist immediately. Only repeated ones back off.
    failures_ = static_cast<std::uint64_t>(expired_in_a_row_++);
    return failures_ > 0;
  }
  if (is_too_large(error)) {
    return handle_oversized(error, from_the_beginning);
  }
  if (error.code == ErrorCode::ApiInvalid && from_the_beginning && watch_list_) {
    log_.info("server does not support WatchList, listing instead");
    watch_list_ = false;
    return false;
  }
  if (error.code == ErrorCode::ApiInvalid) {
    start_over();  // the server may be refusing the resourceVersion
  }
  // A version that the server cannot resume at may show up as 500; a list does not need it.
  if (++failures_ % kMaxFailedResumptions == 0) {
    start_over();
  }
  LogFields fields = error_fields(error);
  fields.emplace_back("failures", static_cast<std::int64_t>(failures_.load()));
  log_.warn(from_the_beginning ? "list failed" : "watch failed", fields);
  return true;
}

// A watch that resumes at the same version would receive the same line again, and so would a WatchList. A list is requested in
// smaller pages, so it fails only when a single object is too large: then only a change of that object can help.
bool Informer::handle_oversized(const Error& error, bool from_the_beginning) {
  const bool listed = from_the_beginning && broken_watch_lists_ == 0;  // list() resets it
  start_over();
  broken_watch_lists_ = kMaxBrokenWatchLists;
  ++failures_;
  oversized_ = listed;
  LogFields fields = error_fields(error);
  fields.emplace_back("failures", static_cast<std::int64_t>(failures_.load()));
  if (listed) {
    fields.emplace_back("retryAfterSeconds",
                        std::chrono::duration_cast<std::chrono::seconds>(options_.oversized_backoff).count());
    log_.error("an object is too large to be read, so changes of this type are not seen", fields);
  } else {
    log_.warn("a watch event is too large, listing instead", fields);
  }
  return true;
}

void Informer::pause(const StopToken& stop) {
  if (std::exchange(oversized_, false)) {
    clock_.wait(options_.oversized_backoff, stop);
    return;
  }
  const int doublings = static_cast<int>(std::clamp<std::uint64_t>(failures_, 1, 20)) - 1;
  const milliseconds grown = std::min(options_.initial_backoff * (1 << doublings), options_.max_backoff);
  const double jitter = std::uniform_real_distribution<double>(1.0, 1.5)(random_);
  clock_.wait(milliseconds(static_cast<milliseconds::rep>(static_cast<double>(grown.count()) * jitter)), stop);
}

void Informer::handle_event(WatchEvent event) {
  if (event.kind == WatchEvent::Kind::Unknown) {
    skip(event.object);
    return;
  }
  ++received_;
  if (event.kind != WatchEvent::Kind::Bookmark) {
    ++events_;
    deliver(event.object, event.kind == WatchEvent::Kind::Deleted);
    return;
  }
  const auto metadata = event.object.is_object() ? event.object.find("metadata") : event.object.end();
  const std::string* version =
      metadata != event.object.end() && metadata->is_object() ? text_in(*metadata, "resourceVersion") : nullptr;
  if (version == nullptr || version->empty()) {
    skip(event.object);
  } else if (!listing_) {
    // A bookmark proves that the watch works, so it resets the back-off as an event does. Never move back to an older version.
    expired_in_a_row_ = 0;
    failures_ = 0;
    resource_version_ = not_newer(*version, resource_version_) ? resource_version_ : *version;
  } else if (event.initial_end) {
    finish_list(*version);
  }
}

void Informer::deliver(const KubeObject& object, bool removed) {
  std::optional<Identity> identity = identity_of(object);
  if (!identity) {
    skip(nullptr);
    return;
  }
  if (!listing_) {
    // In a watch every event is newer than the one before it. The items of a list are in no order of version, so
    // resource_version_ moves to the list's own version only when the list is complete (finish_list).
    if (not_newer(identity->resource_version, resource_version_)) {
      return;  // already delivered, or older than what was delivered
    }
    expired_in_a_row_ = 0;
    failures_ = 0;
    resource_version_ = identity->resource_version;
  }
  if (removed) {
    // Report a deletion only for an object that was reported before.
    if (known_.erase(identity->key) > 0) {
      handler_.deleted(identity->key);
    }
    return;
  }
  Known& known = known_[identity->key];
  known.listed = true;
  // A relist repeats objects that did not change; do not report them again.
  if (known.resource_version != identity->resource_version) {
    known.resource_version = identity->resource_version;
    apply(identity->key, object);
  }
}

// Catches every exception: one unusual object must not end the process.
void Informer::apply(const ResourceKey& key, const KubeObject& object) {
  try {
    handler_.applied(key, object);
  } catch (const std::exception& exception) {
    log_.error("object skipped, its handler failed", {{"resource", key.text()}, {"error", exception.what()}});
  }
}

void Informer::skip(const KubeObject& object) {
  const std::string* type = object.is_object() ? text_in(object, "type") : nullptr;
  if (type == nullptr) {
    log_.warn("unreadable event skipped");
    gap_ = true;
  } else {
    log_.warn("event of an unknown type skipped", {{"event", *type}});
  }
}

void Informer::begin_list() {
  // Also called when a list starts over: objects received before the restart must be received again to count as listed.
  for (auto& [key, known] : known_) {
    known.listed = false;
  }
  listing_ = true;
  gap_ = false;
}

void Informer::finish_list(std::string resource_version) {
  listing_ = false;
  failures_ = 0;
  broken_watch_lists_ = 0;
  ++lists_;
  resource_version_ = std::move(resource_version);
  // Objects missing from the list were deleted while no watch was running. After an unreadable event, though, a missing object
  // may exist after all: wait for the next complete list.
  if (!gap_) {
    for (auto each = known_.begin(); each != known_.end();) {
      if (each->second.listed) {
        ++each;
        continue;
      }
      const ResourceKey key = each->first;
      each = known_.erase(each);
      handler_.deleted(key);
    }
  }
  if (!synced_.exchange(true)) {
    handler_.synced();
  }
}

void Informer::start_over() {
  resource_version_.clear();
  gap_ = false;
}

std::chrono::seconds Informer::watch_time(std::chrono::seconds shortest) {
  return std::chrono::seconds(
      std::uniform_int_distribution<std::chrono::seconds::rep>(shortest.count(), 2 * shortest.count())(random_));
}

}  // namespace athanor::controller
