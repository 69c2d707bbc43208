// A request to stop that can be waited on. SIGTERM, SIGINT and shutdown all become one StopSource; everything long-running
// holds a StopToken. Two levels: Graceful (end at the next safe point) and Now (cancel what is running, roll back).
//
// Threads: request() may be called from any thread and from a signal handler. Tokens are cheap to copy and must not outlive
// their source, nor a flag.
#pragma once

#include <atomic>

namespace athanor {

enum class StopLevel : int { None = 0, Graceful = 1, Now = 2 };

class StopSource;

class StopToken {
 public:
  StopToken() = default;  // never stops
  explicit StopToken(const StopSource* source) : source_(source) {}
  [[nodiscard]] StopLevel level() const;
  [[nodiscard]] bool requested() const { return level() != StopLevel::None; }
  // The same, and Graceful as well once the flag is set. By the thread that looks at the token: nobody is woken by it.
  [[nodiscard]] StopToken or_once(const std::atomic<bool>& flag) const;
  // Readable once a stop was requested; -1 when there is nothing to poll.
  [[nodiscard]] int descriptor() const;

 private:
  const StopSource* source_ = nullptr;
  const std::atomic<bool>* flag_ = nullptr;
};

class StopSource {
 public:
  StopSource();
  // A stop of its own that is, once requested, at least as urgent as `urging`, which must outlive it.
  explicit StopSource(StopToken urging);
  ~StopSource();
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;

  // Raises the level by one, up to Now. Async-signal-safe.
  void request() noexcept;
  void request(StopLevel level) noexcept;
  [[nodiscard]] StopToken token() const { return StopToken(this); }

 private:
  friend class StopToken;
  const StopToken urging_;
  std::atomic<int> level_{0};
  int descriptor_ = -1;
};

}  // namespace athanor
