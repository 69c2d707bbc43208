#include "operator/kube/recent_reads.hpp"

#include <utility>

namespace athanor::controller {
namespace {

constexpr milliseconds kKept{2'000};
constexpr std::chrono::minutes kCounted{1};

}  // namespace

std::shared_ptr<RecentReads::Entry> RecentReads::entry(const std::string& key, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (now - swept_ > kKept) {
    swept_ = now;
    // Readers waiting in an entry share ownership of it, so it may be erased from the map.
    std::erase_if(entries_, [now](const auto& item) { return now - item.second.requested_at > kKept; });
  }
  Lookup& lookup = entries_[key];
  if (!lookup.entry) {
    lookup.entry = std::make_shared<Entry>();
  }
  lookup.requested_at = now;
  return lookup.entry;
}

Result<void> RecentReads::count(const ResourceType& type, const std::string& name_space, SteadyTime now) {
  if (a_minute_ == 0 || type != kube::kConfigMaps) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  if (now - minute_ >= kCounted) {
    minute_ = now;
    counts_.clear();
  }
  // Counts only requests to the API server; shared answers are free.
  if (++counts_[name_space] <= a_minute_) {
    return {};
  }
  return fail(Error(ErrorCode::ApiUnreachable, "namespace " + name_space + " exceeded its quota of " +
                                                   std::to_string(a_minute_) + " ConfigMap reads per minute")
                  .with_retry(RetryClass::Transient)
                  .advise("have the quota raised, or put the revisions into fewer ConfigMaps"));
}

RecentReads::Answer RecentReads::get(const ResourceType& type, const std::string& name_space, const std::string& name,
                                     SteadyTime since) {
  const auto mine = entry(type.group + '/' + type.plural + ' ' + name_space + '/' + name, clock_.steady_now());
  // One mutex per object: readers of the same object wait for the request below and share its answer; readers of other objects
  // do not wait.
  const std::lock_guard lock(mine->mutex);
  const SteadyTime now = clock_.steady_now();  // after the lock: another thread's request may have taken long
  // Compare with the time the request was sent, not received: the server may have read the object just before the change that
  // queued this reconcile.
  if (mine->answer && mine->sent > since && now - mine->received <= kKept) {
    return *mine->answer;
  }
  if (auto allowed = count(type, name_space, now); !allowed) {
    return fail(std::move(allowed).error());
  }
  mine->sent = now;
  // Keep a failure as well: when a Secret is missing, all resources that name it share one request.
  auto object = reader_.get(type, name_space, name);
  mine->answer =
      object ? Answer(std::make_shared<const KubeObject>(std::move(*object))) : Answer(fail(std::move(object).error()));
  mine->received = clock_.steady_now();
  return *mine->answer;
}

}  // namespace athanor::controller
