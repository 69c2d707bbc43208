#include "operator/serve/http_server.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "operator/serve/http_connection.hpp"
#include "operator/serve/tls_files.hpp"

namespace athanor::controller {
namespace {

using State = HttpConnection::State;

constexpr int kBacklog = 1'024;
constexpr int kAcceptedAtOnce = 32;
constexpr milliseconds kDrainDeadline{1'000};
constexpr milliseconds kLongestPoll{1'000};
constexpr milliseconds kNoDescriptors{100};

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses resolve(const HttpServerOptions& options, int family) {
  addrinfo wanted{};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(options.host.c_str(), options.port.c_str(), &wanted, &found);
  return {problem == 0 ? found : nullptr, &::freeaddrinfo};
}

// Returns an empty descriptor when the address cannot be bound.
UniqueFd listen_on(const HttpServerOptions& options) {
  for (const int family : {AF_INET, AF_INET6}) {  // "localhost" has addresses of both; prefer IPv4
    const Addresses addresses = resolve(options, family);
    for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
      UniqueFd socket(::socket(one->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const int yes = 1;
      if (socket && ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
          ::bind(socket.get(), one->ai_addr, one->ai_addrlen) == 0 && ::listen(socket.get(), kBacklog) == 0) {
        return socket;
      }
    }
  }
  return {};
}

// The rest of the process needs descriptors too: databases, the API server, files.
std::size_t within_descriptors(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return wanted;
  }
  return std::clamp<std::size_t>(limit.rlim_cur / 4, 1, wanted);
}

}  // namespace

class HttpServer::Loop {
 public:
  Loop(HttpServerOptions options, Clock& clock, Route route, UniqueFd listener, std::optional<TlsFiles> tls)
      : options_(std::move(options)),
        clock_(clock),
        route_(std::move(route)),
        listener_(std::move(listener)),
        tls_(std::move(tls)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        reserve_(open_reserve()),
        most_(within_descriptors(options_.limits.connections)) {}
  ~Loop() { close(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }
  void close() {
    if (!thread_.joinable()) {
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    wake();
    thread_.join();
    // Only now: the thread uses the connections without a lock.
    connections_.clear();
    listener_.reset();
  }

  void reply(Number connection, ServerReply reply) {
    {
      const std::lock_guard lock(mutex_);
      replies_.emplace_back(connection, std::move(reply));
    }
    wake();
  }

 private:
  using Connections = std::map<Number, HttpConnection>;

  static UniqueFd open_reserve() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }
  void wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
  }

  void run() {
    // New clients come last, because they may need a place that has just become free.
    while (take_replies()) {
      const SteadyTime now = clock_.steady_now();
      end_late(now);
      poll(now);
      const SteadyTime then = clock_.steady_now();
      // By number, not by reference: a connection may have been dropped to make room for another.
      for (const Number number : ready_) {
        if (const auto found = connections_.find(number); found != connections_.end()) {
          proceed(found->second, then);
        }
      }
      std::erase_if(connections_, [](const auto& one) { return one.second.state() == State::Over; });
      if (knocked_) {
        accept_some(then);
      }
    }
  }

  // Returns false when the server is closing.
  bool take_replies() {
    std::vector<std::pair<Number, ServerReply>> replies;
    {
      const std::lock_guard lock(mutex_);
      if (ends_) {
        return false;
      }
      // Send the replies without the lock, so that reply() never waits for a socket.
      replies.swap(replies_);
    }
    const SteadyTime now = clock_.steady_now();
    for (auto& [number, reply] : replies) {
      const auto found = connections_.find(number);
      if (found != connections_.end() && found->second.state() == State::Waiting) {
        send(found->second, std::move(reply), now);
      }
    }
    return true;
  }

  milliseconds deadline_of(State state) const {
    switch (state) {
      case State::Reading:
        return options_.limits.request_deadline;
      case State::Waiting:
        return options_.limits.reply_deadline;
      case State::Draining:
        return kDrainDeadline;
      default:
        return options_.limits.write_deadline;
    }
  }

  void end_late(SteadyTime now) {
    std::erase_if(connections_, [&](const auto& one) { return now - one.second.since() >= deadline_of(one.second.state()); });
  }

  void poll(SteadyTime now) {
    // Wake up for the earliest deadline. While accepting is paused, do not poll the listener: its pending connections would
    // wake poll() immediately.
    milliseconds longest = kLongestPoll;
    std::vector<pollfd> set{{wake_.get(), POLLIN, 0}, {listener_.get(), now < pause_until_ ? short{0} : short{POLLIN}, 0}};
    std::vector<Number> numbers;
    if (now < pause_until_) {
      longest = kNoDescriptors;
    }
    for (const auto& [number, connection] : connections_) {
      const auto left = connection.since() + deadline_of(connection.state()) - now;
      longest = std::min(longest, std::chrono::ceil<milliseconds>(left));
      set.push_back({connection.socket(), connection.wanted(), 0});
      numbers.push_back(number);
    }
    ::poll(set.data(), set.size(), static_cast<int>(std::max(longest, milliseconds(0)).count()));
    std::uint64_t woken = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &woken, sizeof woken);
    knocked_ = set[1].revents != 0;
    ready_.clear();
    for (std::size_t index = 0; index < numbers.size(); ++index) {
      if (set[index + 2].revents != 0) {
        ready_.push_back(numbers[index]);
      }
    }
  }

  void proceed(HttpConnection& connection, SteadyTime now) {
    if (connection.state() == State::Waiting) {
      connection.end();  // the client hung up: in this state nothing else is polled for
      return;
    }
    connection.advance(now);
    if (connection.state() == State::Refused) {
      connection.answer(refusal(431, "the request is too large"), nullptr, now);
    } else if (connection.state() == State::Asked) {
      const auto answer =
          answer_request(connection.head(), [&](const ServerRequest& request) { return route_(connection.number(), request); });
      if (answer) {
        connection.answer(*answer, nullptr, now);
      } else {
        connection.wait();
      }
    }
  }

  void send(HttpConnection& connection, ServerReply reply, SteadyTime now) {
    if (reply.page && !has_room_for_page(now)) {
      connection.answer(refusal(503, "too many clients are slow to read; try again"), nullptr, now);
      return;
    }
    const auto page = reply.page;
    auto head = answer_request(connection.head(), [&](const ServerRequest&) { return std::optional(reply); });
    connection.answer(std::move(*head), page, now);
  }

  // Limits how many pages are sent at the same time: pages are large, and an old one stays in memory until its last reader is
  // done. Above the limit it drops the slowest reader if that is slow enough, otherwise it returns false.
  bool has_room_for_page(SteadyTime now) {
    const auto sends = [](const auto& one) { return one.second.sends_page() && one.second.state() == State::Writing; };
    if (static_cast<std::size_t>(std::ranges::count_if(connections_, sends)) < options_.limits.pages) {
      return true;
    }
    return give_way(
        now, [&](const HttpConnection& one) { return one.sends_page() && one.state() == State::Writing; },
        options_.limits.patience);
  }

  // Ends the matching connection that has been in its state the longest, if that is at least `patience`. Returns whether it
  // ended one.
  template <typename Which>
  bool give_way(SteadyTime now, const Which& which, milliseconds patience) {
    HttpConnection* oldest = nullptr;
    for (auto& [number, connection] : connections_) {
      if (which(connection) && (oldest == nullptr || connection.since() < oldest->since())) {
        oldest = &connection;
      }
    }
    if (oldest == nullptr || now - oldest->since() < patience) {
      return false;
    }
    oldest->end();
    return true;
  }

  // Returns false when every connection is about to finish, so that accepting must wait. A client that has not sent its request
  // yet may be dropped immediately: an honest one retries.
  bool make_room(SteadyTime now) {
    if (connections_.size() < most_) {
      return true;
    }
    const auto unfinished = [](const HttpConnection& one) {
      return one.state() == State::Reading || one.state() == State::Draining;
    };
    const auto writing = [](const HttpConnection& one) { return one.state() == State::Writing; };
    if (!give_way(now, unfinished, milliseconds(0)) && !give_way(now, writing, options_.limits.patience)) {
      return false;
    }
    std::erase_if(connections_, [](const auto& one) { return one.second.state() == State::Over; });
    return true;
  }

  void accept_some(SteadyTime now) {
    refresh_certificate();
    for (int count = 0; count < kAcceptedAtOnce; ++count) {
      if (!make_room(now)) {
        pause_until_ = now + kNoDescriptors;
        return;
      }
      UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          turn_away();
          pause_until_ = now + kNoDescriptors;
        }
        return;
      }
      // Numbers are never reused, so a late reply cannot reach another client.
      const Number number = ++numbers_;
      const auto made = connections_.try_emplace(number, number, std::move(socket), tls_ ? tls_->context() : nullptr, now);
      proceed(made.first->second, now);  // usually the request has already arrived
    }
  }

  // With no descriptor left for accept(), the pending client would wait and wake poll() forever. Free the reserved descriptor,
  // accept and close the client with it, and reserve it again.
  void turn_away() {
    reserve_.reset();
    UniqueFd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)).reset();
    reserve_ = open_reserve();
  }

  void refresh_certificate() {
    if (!tls_) {
      return;
    }
    if (const auto read = tls_->refresh(); !read && options_.complain) {
      options_.complain(read.error());
    }
  }

  HttpServerOptions options_;
  Clock& clock_;
  Route route_;
  UniqueFd listener_;
  std::optional<TlsFiles> tls_;
  UniqueFd wake_;
  UniqueFd reserve_;
  std::size_t most_;
  Connections connections_;
  std::vector<Number> ready_;
  bool knocked_ = false;
  SteadyTime pause_until_{};
  Number numbers_ = 0;
  std::mutex mutex_;  // guards the members below
  std::vector<std::pair<Number, ServerReply>> replies_;
  bool ends_ = false;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(HttpServerOptions options, Clock& clock, Route route) {
  std::optional<TlsFiles> tls;
  if (!options.certificate.empty()) {
    TRY_ASSIGN(tls, TlsFiles::open(options.certificate, options.key, clock));
  }
  UniqueFd listener = listen_on(options);
  if (!listener) {
    return fail(ErrorCode::Io, "cannot listen on " + options.host + ":" + options.port);
  }
  auto loop = std::make_unique<Loop>(std::move(options), clock, std::move(route), std::move(listener), std::move(tls));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(loop)));
}

void HttpServer::start() {
  loop_->start();
}

void HttpServer::close() {
  loop_->close();
}

void HttpServer::reply(Number connection, ServerReply reply) {
  loop_->reply(connection, std::move(reply));
}

}  // namespace athanor::controller
