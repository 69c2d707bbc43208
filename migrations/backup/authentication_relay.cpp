#include "migrations/backup/authentication_relay.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

#include "migrations/base/clock.hpp"
#include "migrations/base/ids.hpp"
#include "migrations/base/unique_fd.hpp"
#include "migrations/text/authentication_exchange.hpp"

namespace athanor {
namespace {

constexpr std::size_t kMostPending = std::size_t{256} << 10U;  // bytes on their way in one direction
constexpr std::size_t kMostLinks = 64;                         // pg_restore --jobs has one connection a job
constexpr milliseconds kConnectWithin{30'000};                 // to connect and to be authenticated
constexpr int kProbeWithin = 10'000;                           // milliseconds
constexpr std::array<unsigned char, 8> kSslRequest{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};

struct Address {
  sockaddr_storage bytes{};
  socklen_t length = 0;
};

// Puts `name` into `address`; a leading zero byte makes it abstract.
bool name_socket(const std::string& name, Address& address) {
  sockaddr_un local{};
  local.sun_family = AF_UNIX;
  if (name.size() >= sizeof local.sun_path) {
    return false;
  }
  std::memcpy(local.sun_path, name.data(), name.size());
  std::memcpy(&address.bytes, &local, sizeof local);
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  return true;
}

std::vector<Address> addresses_of(const RelayedServer& server) {
  const std::string port = server.port.empty() ? AuthenticationRelay::kPort : server.port;
  std::vector<Address> found;
  if (server.host.starts_with('/') || server.host.starts_with('@')) {
    std::string name = server.host + "/.s.PGSQL." + port;
    if (name.front() == '@') {
      name.front() = '\0';
    }
    Address address;
    if (name_socket(name, address)) {
      found.push_back(address);
    }
    return found;
  }
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(server.host.c_str(), port.c_str(), &wanted, &list) != 0) {
    return found;
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    Address address;
    std::memcpy(&address.bytes, each->ai_addr, each->ai_addrlen);
    address.length = each->ai_addrlen;
    found.push_back(address);
  }
  return found;
}

void set(const UniqueFd& socket, int level, int option, int value) {
  ::setsockopt(socket.get(), level, option, &value, sizeof value);
}

// Starts to connect; empty if that failed at once.
UniqueFd begin_connecting(const Address& address) {
  UniqueFd socket(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket && address.bytes.ss_family != AF_UNIX) {
    // As for our own sessions: a dead network is noticed within a minute.
    set(socket, IPPROTO_TCP, TCP_NODELAY, 1);
    set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(socket, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set(socket, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set(socket, IPPROTO_TCP, TCP_KEEPCNT, 3);
    set(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
  }
  const auto* const name = reinterpret_cast<const sockaddr*>(&address.bytes);
  if (!socket || (::connect(socket.get(), name, address.length) != 0 && errno != EINPROGRESS)) {
    return {};
  }
  return socket;
}

bool is_connected(const UniqueFd& socket) {
  int problem = 0;
  socklen_t size = sizeof problem;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &size) == 0 && problem == 0;
}

bool is_our_user(const UniqueFd& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

// An ErrorResponse as a server sends it. After cannot_connect_now (57P03) and nothing else, libpq tries its next host.
std::string error_response(const Error& error) {
  const bool refused = error.code == ErrorCode::AuthenticationFailed;
  std::string body;
  for (const std::string& field :
       {std::string("SFATAL"), std::string("VFATAL"), std::string(refused ? "C28000" : "C57P03"), "M" + error.message}) {
    body += field;
    body += '\0';
  }
  body += '\0';
  std::string message = "E";
  const std::size_t length = body.size() + 4;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    message += static_cast<char>((length >> shift) & 0xffU);
  }
  return message + body;
}

enum class Moved { Bytes, Nothing, Closed };

// Reads once into `pending`.
Moved read_some(const UniqueFd& from, std::string& pending) {
  std::array<char, std::size_t{64} << 10U> buffer;
  const ssize_t got = ::recv(from.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) {
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    return Moved::Bytes;
  }
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? Moved::Nothing : Moved::Closed;
}

Moved write_some(const UniqueFd& to, std::string& pending) {
  const ssize_t sent = ::send(to.get(), pending.data(), pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    return errno == EAGAIN || errno == EINTR ? Moved::Nothing : Moved::Closed;
  }
  pending.erase(0, static_cast<std::size_t>(sent));
  return Moved::Bytes;
}

// Why a connection was refused, for whoever started the program.
class Refusal {
 public:
  // Record it before the program gets the response: the program may end immediately, and its result may be asked for.
  void record(const Error& error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
  }
  // Another host answered, so an unreachable one is not why the program fails later.
  void forget_unreachable() {
    const std::lock_guard lock(mutex_);
    if (error_ && error_->code == ErrorCode::DatabaseUnreachable) {
      error_.reset();
    }
  }
  [[nodiscard]] std::optional<Error> error() const {
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Error> error_;
};

// One connection of a program, and ours to the server on its behalf.
class Link {
 public:
  Link(UniqueFd program, const std::vector<Address>& addresses, const AllowedAuthentication& allowed, SteadyTime deadline,
       Refusal& refusal)
      : program_(std::move(program)), addresses_(addresses), exchange_(allowed), deadline_(deadline), refusal_(refusal) {
    connect_next();
  }

  [[nodiscard]] pollfd program_events() const {
    const int in = closing_ || to_server_.size() >= kMostPending ? 0 : POLLIN;
    return awaited(program_, in | (to_program_.empty() ? 0 : POLLOUT));
  }
  [[nodiscard]] pollfd server_events() const {
    if (connecting_) {
      return awaited(server_, POLLOUT);
    }
    const int in = server_ended_ || to_program_.size() + unjudged_.size() >= kMostPending ? 0 : POLLIN;
    return awaited(server_, in | (to_server_.empty() || server_ended_ ? 0 : POLLOUT));
  }

  // Moves what can be moved. False when the connection is over.
  bool proceed(short program, short server, SteadyTime now) {
    if (!exchange_.is_over() && now >= deadline_ && !closing_) {
      refuse(Error(ErrorCode::DatabaseUnreachable, "timeout expired"));
    }
    if (connecting_ && server != 0) {
      finish_connecting();
    }
    if (!closing_ && !server_ && !connecting_) {
      refuse(Error(ErrorCode::DatabaseUnreachable, "cannot connect to the server"));
    }
    if (server_ && !connecting_) {
      exchange(server);
    }
    if ((program & (POLLIN | POLLHUP | POLLERR)) != 0 && read_some(program_, to_server_) == Moved::Closed) {
      return false;
    }
    if (!to_program_.empty() && write_some(program_, to_program_) == Moved::Closed) {
      return false;
    }
    return !((closing_ || server_ended_) && to_program_.empty());
  }

 private:
  // poll() reports a hang-up even when it is asked for nothing: leave such a descriptor out, or the loop would spin.
  static pollfd awaited(const UniqueFd& socket, int events) {
    return {events == 0 ? -1 : socket.get(), static_cast<short>(events), 0};
  }

  void connect_next() {
    connecting_ = false;
    server_.reset();
    while (!server_ && next_ < addresses_.size()) {
      server_ = begin_connecting(addresses_[next_++]);
      connecting_ = static_cast<bool>(server_);
    }
  }

  void finish_connecting() {
    if (is_connected(server_)) {
      connecting_ = false;
    } else {
      connect_next();
    }
  }

  void exchange(short events) {
    if (!to_server_.empty() && write_some(server_, to_server_) == Moved::Closed) {
      server_ended_ = true;
    }
    if ((events & (POLLIN | POLLHUP | POLLERR)) == 0 || server_ended_) {
      return;
    }
    std::string& into = exchange_.is_over() ? to_program_ : unjudged_;
    server_ended_ = read_some(server_, into) == Moved::Closed;
    judge();
  }

  void judge() {
    while (!unjudged_.empty()) {
      const auto length = exchange_.judge(unjudged_);
      if (!length) {
        refuse(length.error());
        return;
      }
      if (*length > unjudged_.size()) {
        return;
      }
      const std::size_t passed = exchange_.is_over() ? unjudged_.size() : *length;
      to_program_.append(unjudged_, 0, passed);
      unjudged_.erase(0, passed);
      if (exchange_.is_over()) {
        refusal_.forget_unreachable();
      }
    }
  }

  void refuse(const Error& error) {
    refusal_.record(error);
    to_program_ = error_response(error);
    unjudged_.clear();
    server_.reset();
    connecting_ = false;
    closing_ = true;
  }

  UniqueFd program_;
  UniqueFd server_;
  const std::vector<Address>& addresses_;
  std::size_t next_ = 0;
  AuthenticationExchange exchange_;
  SteadyTime deadline_;
  Refusal& refusal_;
  std::string to_program_;
  std::string to_server_;
  std::string unjudged_;  // from the server, before the exchange is over
  bool connecting_ = false;
  bool server_ended_ = false;
  bool closing_ = false;  // after an error of ours
};

struct Listener {
  UniqueFd socket;
  std::vector<Address> addresses;
};

Result<Listener> listen_for(const RelayedServer& server, std::string& host) {
  Listener listener;
  listener.addresses = addresses_of(server);
  host = "@athanor-" + random_hex(32);
  std::string name = host + "/.s.PGSQL." + AuthenticationRelay::kPort;
  name.front() = '\0';
  Address address;
  listener.socket = UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.socket || !name_socket(name, address) ||
      ::bind(listener.socket.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.length) != 0 ||
      ::listen(listener.socket.get(), static_cast<int>(kMostLinks)) != 0) {
    return fail(ErrorCode::Io, std::string("no socket can be made for pg_dump: ") + std::strerror(errno));
  }
  return listener;
}

}  // namespace

struct AuthenticationRelay::Impl {
  std::vector<Listener> listeners;
  std::vector<std::string> hosts;
  AllowedAuthentication allowed;
  UniqueFd stop{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  Refusal refusal;
  std::thread thread;

  void accept_from(const Listener& listener, std::vector<std::unique_ptr<Link>>& links) {
    UniqueFd program(::accept4(listener.socket.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (program && is_our_user(program) && links.size() < kMostLinks) {
      const SteadyTime deadline = std::chrono::steady_clock::now() + kConnectWithin;
      links.push_back(std::make_unique<Link>(std::move(program), listener.addresses, allowed, deadline, refusal));
    }
  }

  // Until `stop` is readable.
  void run() {
    std::vector<std::unique_ptr<Link>> links;
    std::vector<pollfd> set;
    while (true) {
      set.assign(1, pollfd{stop.get(), POLLIN, 0});
      for (const Listener& listener : listeners) {
        set.push_back({listener.socket.get(), POLLIN, 0});
      }
      const std::size_t first = set.size();
      for (const auto& link : links) {
        set.push_back(link->program_events());
        set.push_back(link->server_events());
      }
      ::poll(set.data(), set.size(), 1'000);
      if (set[0].revents != 0) {
        return;
      }
      const SteadyTime now = std::chrono::steady_clock::now();
      for (std::size_t i = 0; i < links.size(); ++i) {
        if (!links[i]->proceed(set[first + 2 * i].revents, set[first + 2 * i + 1].revents, now)) {
          links[i].reset();
        }
      }
      std::erase(links, nullptr);
      for (std::size_t i = 0; i < listeners.size(); ++i) {
        if (set[i + 1].revents != 0) {
          accept_from(listeners[i], links);
        }
      }
    }
  }
};

AuthenticationRelay::AuthenticationRelay(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AuthenticationRelay::~AuthenticationRelay() {
  if (impl_->thread.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(impl_->stop.get(), &one, sizeof one);
    impl_->thread.join();
  }
}

Result<std::unique_ptr<AuthenticationRelay>> AuthenticationRelay::open(const std::vector<RelayedServer>& servers,
                                                                       const AllowedAuthentication& allowed) {
  auto impl = std::make_unique<Impl>();
  impl->allowed = allowed;
  bool any = false;
  for (const RelayedServer& server : servers) {
    TRY_ASSIGN(Listener listener, listen_for(server, impl->hosts.emplace_back()));
    any = any || !listener.addresses.empty();
    impl->listeners.push_back(std::move(listener));
  }
  if (!any) {
    return fail(ErrorCode::DatabaseUnreachable, "the database server's name cannot be resolved");
  }
  if (!impl->stop) {
    return fail(ErrorCode::Io, "too many open files: there is no descriptor for the connection of pg_dump");
  }
  // Signals belong to the threads that expect them.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  impl->thread = std::thread([running = impl.get()] { running->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return std::unique_ptr<AuthenticationRelay>(new AuthenticationRelay(std::move(impl)));
}

const std::vector<std::string>& AuthenticationRelay::hosts() const {
  return impl_->hosts;
}

std::optional<Error> AuthenticationRelay::refusal() const {
  return impl_->refusal.error();
}

bool offers_tls(const std::vector<RelayedServer>& servers) {
  for (const RelayedServer& server : servers) {
    if (server.host.starts_with('/') || server.host.starts_with('@')) {
      return false;  // libpq uses no TLS on Unix sockets
    }
    for (const Address& address : addresses_of(server)) {
      const UniqueFd socket = begin_connecting(address);
      pollfd ready{socket.get(), POLLOUT, 0};
      if (!socket || ::poll(&ready, 1, kProbeWithin) <= 0 || !is_connected(socket) ||
          ::send(socket.get(), kSslRequest.data(), kSslRequest.size(), MSG_NOSIGNAL) !=
              static_cast<ssize_t>(kSslRequest.size())) {
        continue;
      }
      ready.events = POLLIN;
      char answer = 0;
      if (::poll(&ready, 1, kProbeWithin) > 0 && ::recv(socket.get(), &answer, 1, 0) == 1) {
        return answer == 'S';
      }
    }
  }
  return true;
}

}  // namespace athanor
