#include "operator/kube/event_recorder.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "operator/kube/event_series.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxQueue = 1'000;
constexpr milliseconds kDrainTimeout{2'000};
constexpr milliseconds kRetryPause{1'000};
constexpr int kMaxAttempts = 3;

class ThreadedRecorder final : public EventRecorder {
 public:
  ThreadedRecorder(KubeClient& client, Clock& clock, std::string reporter, std::string instance, Log log)
      : client_(client), clock_(clock), log_(std::move(log)), series_(std::move(reporter), std::move(instance)) {
    thread_ = std::thread([this] { work(); });
  }
  ~ThreadedRecorder() override { end(); }
  ThreadedRecorder(const ThreadedRecorder&) = delete;
  ThreadedRecorder& operator=(const ThreadedRecorder&) = delete;

  void close() override { end(); }
  void record(EventRecord event) override {
    // Truncated before it is queued, so that the queue is bounded in bytes, too.
    event.note = truncate_utf8(std::move(event.note), kMaxEventNote);
    const WallTime now = clock_.wall_now();
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() < kMaxQueue && !ending_) {
        queue_.push_back({std::move(event), now});
        wake_.notify_one();
        return;
      }
    }
    ++dropped_;
  }
  std::uint64_t dropped() const override { return dropped_; }

 private:
  void end() {
    if (!thread_.joinable()) {
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      drain_until_ = clock_.steady_now() + kDrainTimeout;
      ending_ = true;
    }
    stop_.request();
    wake_.notify_all();
    thread_.join();
  }
  void work();
  void write(const EventWrite& write, const EventOccurrence* occurrence);
  Result<KubeObject> send(const EventWrite& write);
  // Waits for an event, a series update that is due, or the end. nullopt: no event is queued.
  std::optional<EventOccurrence> next(std::unique_lock<std::mutex>& lock);

  KubeClient& client_;
  Clock& clock_;
  Log log_;
  EventSeries series_;  // used by the thread only
  StopSource stop_;     // interrupts pauses between attempts, not requests
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<EventOccurrence> queue_;
  bool ending_ = false;
  SteadyTime drain_until_;
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
};

std::optional<EventOccurrence> ThreadedRecorder::next(std::unique_lock<std::mutex>& lock) {
  const auto something = [this] { return ending_ || !queue_.empty(); };
  if (const std::optional<SteadyTime> due = series_.next_due(); due && !something()) {
    wake_.wait_for(lock, std::max(*due - clock_.steady_now(), SteadyTime::duration(0)), something);
  } else {
    wake_.wait(lock, something);
  }
  if (queue_.empty()) {
    return std::nullopt;
  }
  EventOccurrence occurrence = std::move(queue_.front());
  queue_.pop_front();
  return occurrence;
}

void ThreadedRecorder::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const std::optional<EventOccurrence> occurrence = next(lock);
    const bool last = ending_ && !occurrence;
    const bool late = ending_ && clock_.steady_now() >= drain_until_;
    // Give up although events are queued: a stopping pod has only its termination grace period.
    if (late) {
      dropped_ += queue_.size() + (occurrence ? 1U : 0U);
      return;
    }
    lock.unlock();
    const SteadyTime now = clock_.steady_now();
    if (occurrence) {
      for (const EventWrite& each : series_.add(*occurrence, now)) {
        write(each, &*occurrence);
      }
    }
    // Write series counts after the event itself, so that the last pass includes the counts of events that were still queued.
    for (const EventWrite& each : series_.due(now, last)) {
      if (!last || clock_.steady_now() < drain_until_) {
        write(each, nullptr);
      }
    }
    lock.lock();
    if (last) {
      return;
    }
  }
}

Result<KubeObject> ThreadedRecorder::send(const EventWrite& write) {
  for (int attempt = 1;; ++attempt) {
    Result<KubeObject> written = write.kind == EventWrite::Kind::Create
                                     ? client_.create(kube::kEvents, write.name_space, write.body)
                                     : client_.patch(kube::kEvents, write.name_space, write.name, write.body);
    if (written) {
      return written;
    }
    const ErrorCode code = written.error().code;
    if (code == ErrorCode::ApiConflict && attempt > 1) {
      return write.body;  // the previous attempt created it and its response was lost
    }
    const bool transient = code == ErrorCode::ApiUnreachable || code == ErrorCode::ApiThrottled;
    if (!transient || attempt == kMaxAttempts || !clock_.wait(kRetryPause * attempt, stop_.token())) {
      return written;
    }
  }
}

void ThreadedRecorder::write(const EventWrite& write, const EventOccurrence* occurrence) {
  const Result<KubeObject> written = send(write);
  if (written) {
    return;
  }
  series_.forget(write.series);
  // The Event object of the series was deleted meanwhile (events have a TTL): start a new series with this occurrence.
  if (write.kind == EventWrite::Kind::Update && written.error().code == ErrorCode::ApiNotFound && occurrence != nullptr) {
    const std::vector<EventWrite> anew = series_.add(*occurrence, clock_.steady_now());
    if (send(anew.front())) {
      return;
    }
    series_.forget(write.series);
  }
  ++dropped_;
  log_.warn("event could not be written", error_fields(written.error()));
}

}  // namespace

std::unique_ptr<EventRecorder> make_event_recorder(KubeClient& client, Clock& clock, std::string reporter, std::string instance,
                                                   Log log) {
  return std::make_unique<ThreadedRecorder>(client, clock, std::move(reporter), std::move(instance), std::move(log));
}

}  // namespace athanor::controller
