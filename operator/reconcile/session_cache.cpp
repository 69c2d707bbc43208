#include "operator/reconcile/session_cache.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "migrations/base/sha256.hpp"
#include "operator/reconcile/token_sessions.hpp"

namespace athanor::controller {
namespace {

constexpr milliseconds kKept{2'000};
constexpr std::size_t kMost = 32;
constexpr std::size_t kMostInterests = 100'000;

}  // namespace

SessionCache::~SessionCache() {
  {
    const std::lock_guard lock(mutex_);
    ending_.request(StopLevel::Now);
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

// The search_path matters only if it decides which version table is used.
std::string SessionCache::key_of(const DatabaseTarget& target) {
  const auto& settings = target.settings;
  return sha256_hex(target.url + '\n' + token_identity(target) + '\n' + settings.execution.role + '\n' +
                    (settings.version_table_schema.empty() ? settings.execution.search_path : std::string()));
}

std::unique_ptr<Session> SessionCache::take(const std::string& key, const std::string& who) {
  const std::size_t hash = std::hash<std::string>{}(key);
  const std::size_t asking = std::hash<std::string>{}(who);
  const std::lock_guard lock(mutex_);
  if (interests_.size() >= kMostInterests) {
    interests_.clear();
  }
  Interest& interest = interests_.try_emplace(hash, Interest{asking}).first->second;
  interest.shared = interest.shared || interest.first != asking;
  const auto found = std::ranges::find(kept_, key, &Kept::key);
  if (found == kept_.end() || found->until <= clock_.steady_now()) {
    return nullptr;
  }
  auto session = std::move(found->session);
  kept_.erase(found);
  return session;
}

void SessionCache::give(const std::string& key, std::unique_ptr<Session> session) {
  std::unique_ptr<Session> oldest;  // closed after the lock is released: closing waits for the network
  const std::lock_guard lock(mutex_);
  // Keep a session only if several resources use its database; otherwise nobody would take it before it expires.
  const auto interest = interests_.find(std::hash<std::string>{}(key));
  if (ending_.token().requested() || interest == interests_.end() || !interest->second.shared) {
    oldest = std::move(session);
    return;
  }
  if (kept_.size() >= kMost) {
    oldest = std::move(kept_.front().session);
    kept_.pop_front();
  }
  kept_.push_back({key, std::move(session), clock_.steady_now() + kKept});
  changed_.notify_all();
}

void SessionCache::close_due() {
  // Declared before the lock, so that the sessions are closed after it is released: closing waits for the network.
  std::vector<std::unique_ptr<Session>> due;
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  while (!kept_.empty() && kept_.front().until <= now) {
    due.push_back(std::move(kept_.front().session));
    kept_.pop_front();
  }
}

void SessionCache::start() {
  thread_ = std::thread([this] { watch(); });
}

void SessionCache::watch() {
  while (!ending_.token().requested()) {
    milliseconds left{0};
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !kept_.empty() || ending_.token().requested(); });
      if (!kept_.empty()) {
        left = std::chrono::ceil<milliseconds>(kept_.front().until - clock_.steady_now());
      }
    }
    if (left > milliseconds(0)) {
      clock_.wait(left, ending_.token());
    }
    close_due();
  }
}

}  // namespace athanor::controller
