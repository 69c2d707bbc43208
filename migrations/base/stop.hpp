// A stop request that threads can wait for. SIGTERM, SIGINT and shutdown all go through a StopSource; everything long-running
// takes a StopToken. There are two levels: Graceful (end at the next safe point) and Now (cancel what is running, roll back).
//
// Threads: request() may be called from any thread and from a signal handler. Tokens are cheap to copy. A token must not
// outlive its source or its flag.
#pragma once

#include <atomic>

namespace athanor {

enum class StopLevel : int { None = 0, Graceful = 1, Now = 2 };

class StopSource;

class StopToken {
 public:
  StopToken() = default;  // never requests a stop
  explicit StopToken(const StopSource* source) : source_(source) {}
  // The most urgent level requested so far. Async-signal-safe.
  [[nodiscard]] StopLevel level() const;
  [[nodiscard]] bool requested() const { return level() != StopLevel::None; }
  // A copy that is also Graceful once `flag` is set. Setting the flag does not wake a thread that waits on descriptor().
  [[nodiscard]] StopToken or_once(const std::atomic<bool>& flag) const;
  // A descriptor that is readable once a stop is requested; -1 when there is nothing to poll.
  [[nodiscard]] int descriptor() const;

 private:
  const StopSource* source_ = nullptr;
  const std::atomic<bool>* flag_ = nullptr;
};

class StopSource {
 public:
  StopSource();
  // A source with its own level that, once requested, is at least as urgent as `urging`, whose source must outlive it.
  explicit StopSource(StopToken urging);
  ~StopSource();
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;

  // Raises the level by one, at most to Now. Async-signal-safe.
  void request() noexcept;
  // Raises the level to `level`; never lowers it. Async-signal-safe.
  void request(StopLevel level) noexcept;
  [[nodiscard]] StopToken token() const { return StopToken(this); }

 private:
  friend class StopToken;
  const StopToken urging_;
  std::atomic<int> level_{0};
  int descriptor_ = -1;
};

}  // namespace athanor
