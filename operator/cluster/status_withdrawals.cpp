#include "operator/cluster/status_withdrawals.hpp"

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

namespace athanor::controller {
namespace {

constexpr milliseconds kCheckAgain{100};
constexpr std::chrono::seconds kFollowed{10};

// Whether `revision` may be of another version of the source: false when `version` is one of its items ("more@9" in "orders@7,
// more@9"), and when `revision` is only a digest, which cannot be compared.
bool may_be_of_another(const std::string& revision, const std::string& version) {
  if (revision.find("sha256:") != std::string::npos && version.find("sha256:") == std::string::npos) {
    return false;
  }
  constexpr std::string_view kBetween = ", ";
  for (std::size_t begin = 0; begin <= revision.size();) {
    const std::size_t end = std::min(revision.find(kBetween, begin), revision.size());
    if (revision.substr(begin, end - begin) == version) {
      return false;
    }
    begin = end + kBetween.size();
  }
  return true;
}

}  // namespace

StatusWithdrawals::StatusWithdrawals(ClusterStore& store, WorkQueue& queue, Clock& clock, Log log)
    : store_(store), queue_(queue), clock_(clock), log_(std::move(log)), thread_([this] { work(); }) {}

StatusWithdrawals::~StatusWithdrawals() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StatusWithdrawals::noticed(const ResourceKey& key, SeenVersion seen) {
  const SteadyTime now = clock_.steady_now();
  {
    const std::lock_guard lock(mutex_);
    Notice notice{key, std::move(seen), now, now + kFollowed};
    // Followed further, an older notice would withdraw the status of the version that this one reports.
    drop_older(notice);
    fresh_.push_back(std::move(notice));
  }
  changed_.notify_all();
}

bool StatusWithdrawals::is_same_object(const Notice& one, const Notice& other) {
  return one.key == other.key && one.seen.object == other.seen.object;
}

void StatusWithdrawals::drop_older(const Notice& than) {
  const auto is_older = [&than](const Notice& other) { return is_same_object(other, than); };
  std::erase_if(fresh_, is_older);
  std::erase_if(later_, is_older);
}

void StatusWithdrawals::check_again(Notice notice) {
  notice.due = clock_.steady_now() + kCheckAgain;
  const std::lock_guard lock(mutex_);
  const bool superseded = std::ranges::any_of(fresh_, [&notice](const Notice& newer) { return is_same_object(notice, newer); });
  if (!superseded && notice.due < notice.forget) {
    later_.push_back(std::move(notice));
  }
}

void StatusWithdrawals::work() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    // Fresh notices come first: `helm --wait` may already be reading the status.
    auto& notices = fresh_.empty() ? later_ : fresh_;
    if (notices.empty()) {
      changed_.wait(lock);
      continue;
    }
    const SteadyTime now = clock_.steady_now();
    if (notices.front().due > now) {
      changed_.wait_for(lock, notices.front().due - now);
      continue;
    }
    const Notice notice = std::move(notices.front());
    notices.pop_front();
    lock.unlock();
    try {
      withdraw(notice);
    } catch (const std::exception& exception) {  // an exception must not leave the thread
      log_.error("failed to withdraw a status", {{"resource", notice.key.text()}, {"error", exception.what()}});
    }
    lock.lock();
  }
}

void StatusWithdrawals::withdraw(const Notice& notice) {
  if (!store_.may_act()) {
    return;
  }
  // A worker has the resource and may still write a status of the old source, so check again later.
  if (queue_.is_taken(notice.key)) {
    check_again(notice);
  }
  const auto resource = store_.find(notice.key);
  if (!resource || resource->spec.suspend || resource->metadata.deleting || !looks_final(*resource) ||
      !resource->status.source || !may_be_of_another(resource->status.source->revision, notice.seen.version)) {
    return;
  }
  const auto status = summarise_outdated(
      *resource, {}, "the source changed to " + notice.seen.version + "; the database has not been compared with it yet",
      clock_.wall_now());
  if (const auto written = store_.write_status_of(*resource, status); !written) {
    log_.debug("a status was not withdrawn", error_fields(written.error()));
    return;
  }
  queue_.add(notice.key);
}

}  // namespace athanor::controller
