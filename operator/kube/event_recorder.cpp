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

constexpr std::size_t kLongestQueue = 1'000;
constexpr milliseconds kLastWords{2'000};
constexpr milliseconds kBetweenTries{1'000};
constexpr int kTries = 3;

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
    // Cut here, so that the queue is bounded in bytes too.
    event.note = cut_text(std::move(event.note), kMaxEventNote);
    const WallTime now = clock_.wall_now();
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() < kLongestQueue && !ending_) {
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
      give_up_at_ = clock_.steady_now() + kLastWords;
      ending_ = true;
    }
    stop_.request();
    wake_.notify_all();
    thread_.join();
  }
  void work();
  void write(const EventWrite& write, const EventOccurrence* occurrence);
  Result<KubeObject> send(const EventWrite& write);
  // Waits for an event or for a count that is due; nullopt: only counts, or the end.
  std::optional<EventOccurrence> next(std::unique_lock<std::mutex>& lock);

  KubeClient& client_;
  Clock& clock_;
  Log log_;
  EventSeries series_;  // of the thread
  StopSource stop_;     // ends pauses, not requests
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<EventOccurrence> queue_;
  bool ending_ = false;
  SteadyTime give_up_at_;
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
    const bool late = ending_ && clock_.steady_now() >= give_up_at_;
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
    for (const EventWrite& each : series_.due(now, last)) {
      if (!last || clock_.steady_now() < give_up_at_) {
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
  for (int tries = 1;; ++tries) {
    Result<KubeObject> written = write.kind == EventWrite::Kind::Create
                                     ? client_.create(kube::kEvents, write.name_space, write.body)
                                     : client_.patch(kube::kEvents, write.name_space, write.name, write.body);
    if (written) {
      return written;
    }
    const ErrorCode code = written.error().code;
    if (code == ErrorCode::ApiConflict && tries > 1) {
      return write.body;  // the try before made it, its answer got lost
    }
    const bool may_pass = code == ErrorCode::ApiUnreachable || code == ErrorCode::ApiThrottled;
    if (!may_pass || tries == kTries || !clock_.wait(kBetweenTries * tries, stop_.token())) {
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
  // Somebody removed the object of a series: its next event begins a new one, and this is that event.
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
