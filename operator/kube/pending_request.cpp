#include "operator/kube/pending_request.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace athanor::controller {
namespace {

constexpr std::size_t kWindow = std::size_t{256} << 10U;

using Base = Concurrency::streams::details::basic_streambuf<std::uint8_t>;

// cpprest's interface covers reading, writing and seeking, but cpprest only calls putn_nocopy on a response stream.
class Sink final : public Base {
 public:
  Sink(std::shared_ptr<PendingRequest> request, std::function<void()> on_release)
      : request_(std::move(request)), on_release_(std::move(on_release)) {}
  ~Sink() override { on_release_(); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  pplx::task<std::size_t> putn_nocopy(const std::uint8_t* bytes, std::size_t count) override {
    return request_->arrived(bytes, count);
  }
  pplx::task<std::size_t> putn(const std::uint8_t* bytes, std::size_t count) override { return putn_nocopy(bytes, count); }
  pplx::task<int_type> putc(std::uint8_t byte) override {
    return putn_nocopy(&byte, 1).then([byte](std::size_t) { return static_cast<int_type>(byte); });
  }

  [[nodiscard]] bool can_read() const override { return false; }
  [[nodiscard]] bool can_write() const override { return true; }
  [[nodiscard]] bool can_seek() const override { return false; }
  [[nodiscard]] bool has_size() const override { return false; }
  [[nodiscard]] bool is_eof() const override { return false; }
  [[nodiscard]] bool is_open() const override { return true; }
  [[nodiscard]] std::size_t buffer_size(std::ios_base::openmode) const override { return 0; }
  void set_buffer_size(std::size_t, std::ios_base::openmode) override {}
  [[nodiscard]] std::size_t in_avail() const override { return 0; }
  pplx::task<void> close(std::ios_base::openmode) override { return pplx::task_from_result(); }
  pplx::task<void> close(std::ios_base::openmode, std::exception_ptr) override { return pplx::task_from_result(); }
  pplx::task<void> sync() override { return pplx::task_from_result(); }
  pplx::task<int_type> bumpc() override { return end(); }
  int_type sbumpc() override { return traits::eof(); }
  pplx::task<int_type> getc() override { return end(); }
  int_type sgetc() override { return traits::eof(); }
  pplx::task<int_type> nextc() override { return end(); }
  pplx::task<int_type> ungetc() override { return end(); }
  pplx::task<std::size_t> getn(std::uint8_t*, std::size_t) override { return pplx::task_from_result<std::size_t>(0); }
  std::size_t scopy(std::uint8_t*, std::size_t) override { return 0; }
  [[nodiscard]] pos_type getpos(std::ios_base::openmode) const override { return {traits::eof()}; }
  [[nodiscard]] utility::size64_t size() const override { return 0; }
  pos_type seekpos(pos_type, std::ios_base::openmode) override { return {traits::eof()}; }
  pos_type seekoff(off_type, std::ios_base::seekdir, std::ios_base::openmode) override { return {traits::eof()}; }
  std::uint8_t* alloc(std::size_t) override { return nullptr; }
  void commit(std::size_t) override {}
  bool acquire(std::uint8_t*& bytes, std::size_t& count) override {
    bytes = nullptr;
    count = 0;
    return false;
  }
  void release(std::uint8_t*, std::size_t) override {}
  [[nodiscard]] std::exception_ptr exception() const override { return nullptr; }

 private:
  static pplx::task<int_type> end() { return pplx::task_from_result<int_type>(traits::eof()); }

  std::shared_ptr<PendingRequest> request_;
  std::function<void()> on_release_;
};

}  // namespace

PendingRequest::PendingRequest(bool repeatable, std::size_t max_undelivered)
    : repeatable_(repeatable), max_undelivered_(max_undelivered), descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

PendingRequest::~PendingRequest() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (socket_ >= 0) {
    ::close(socket_);
  }
}

void PendingRequest::signal() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void PendingRequest::resume(std::optional<std::pair<pplx::task_completion_event<std::size_t>, std::size_t>> held) {
  if (held) {
    held->first.set(held->second);
  }
}

pplx::task<std::size_t> PendingRequest::arrived(const std::uint8_t* bytes, std::size_t count) {
  undelivered_ = 0;  // cpprest has delivered everything it had buffered
  const std::lock_guard lock(mutex_);
  if (abandoned_) {
    return pplx::task_from_exception<std::size_t>(std::runtime_error("the request was abandoned"));
  }
  pending_.append(reinterpret_cast<const char*>(bytes), count);
  signal();
  if (pending_.size() < kWindow) {
    return pplx::task_from_result(count);
  }
  // The window is full: hold cpprest back until the reader has taken these bytes.
  held_.emplace(pplx::task_completion_event<std::size_t>(), count);
  return pplx::create_task(held_->first);
}

void PendingRequest::answered(int status, std::optional<milliseconds> retry_after) {
  const std::lock_guard lock(mutex_);
  progress_.status = status;
  progress_.retry_after = retry_after;
  signal();
}

void PendingRequest::ended(std::optional<RequestFailure> failure) {
  const std::lock_guard lock(mutex_);
  progress_.ended = true;
  progress_.failure = std::move(failure);
  signal();
}

void PendingRequest::released() {
  const std::lock_guard lock(mutex_);
  progress_.released = true;
  signal();
}

void PendingRequest::receiving(std::size_t bytes) {
  if ((undelivered_ += bytes) > max_undelivered_ && !overrun_.exchange(true)) {
    signal();
  }
}

bool PendingRequest::may_send(bool reused) {
  const std::lock_guard lock(mutex_);
  // cpprest resends any request, also a POST, when a kept-alive connection turns out to be closed. The second call for the same
  // request is such a resend.
  if (abandoned_ || (sent_before_ && !repeatable_)) {
    return false;
  }
  sent_before_ = true;
  reused_ = reused;
  return true;
}

void PendingRequest::connected(int socket) {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) {
    ::close(socket_);
  }
  socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (abandoned_) {  // abandon() came before there was a socket to shut down
    ::shutdown(socket_, SHUT_RDWR);
  }
}

PendingRequest::Progress PendingRequest::receive(std::string& bytes) {
  std::uint64_t count = 0;
  // Clear the eventfd before taking the data. A signal after this read then causes at most one unnecessary wake-up; in the
  // opposite order the signal of the last bytes could be lost.
  [[maybe_unused]] const auto got = ::read(descriptor_, &count, sizeof count);
  bytes.clear();
  std::optional<std::pair<pplx::task_completion_event<std::size_t>, std::size_t>> held;
  Progress progress;
  {
    const std::lock_guard lock(mutex_);
    // The first bytes may arrive before answered(): keep them until the reader knows the status.
    if (progress_.status || progress_.ended) {
      bytes.swap(pending_);
      held.swap(held_);
    }
    progress = progress_;
  }
  progress.overrun = overrun_;
  resume(std::move(held));
  return progress;
}

void PendingRequest::abandon() {
  bool cut = false;
  std::optional<std::pair<pplx::task_completion_event<std::size_t>, std::size_t>> held;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    pending_ = std::string();
    held.swap(held_);
    cut = socket_ >= 0 && ::shutdown(socket_, SHUT_RDWR) == 0;
  }
  if (!cut) {
    cancellation_.cancel();
  }
  resume(std::move(held));
}

bool PendingRequest::reusable() const {
  const std::lock_guard lock(mutex_);
  return progress_.ended && !progress_.failure && !abandoned_ && progress_.status.value_or(0) >= 200;
}

Concurrency::streams::ostream make_sink(std::shared_ptr<PendingRequest> request, std::function<void()> on_release) {
  const std::shared_ptr<Base> sink = std::make_shared<Sink>(std::move(request), std::move(on_release));
  return Concurrency::streams::streambuf<std::uint8_t>(sink).create_ostream();
}

}  // namespace athanor::controller
