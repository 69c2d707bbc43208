#include "operator/kube/rest_connection.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace athanor::controller {
namespace {

using boost::asio::ip::tcp;
using web::http::http_exception;
using web::http::http_request;
using web::http::http_response;
using web::http::client::http_client;
using web::http::client::http_client_config;

constexpr std::size_t kMaxIdle = 16;
// cpprest's timeout applies to a single read or write. Our deadlines cover the whole request, so cpprest's is disabled.
constexpr std::chrono::hours kNever(24 * 365);

struct StaleConnection : std::runtime_error {
  StaleConnection() : std::runtime_error("the idle connection was closed by the server") {}
};
struct RequestAlreadySent : std::runtime_error {
  RequestAlreadySent() : std::runtime_error("the server closed the connection without a response") {}
};

// A server sends nothing on an idle connection. If it is readable, the server closed or reset it, or sent a TLS close_notify.
bool is_dead(int descriptor) {
  char byte = 0;
  const auto got = ::recv(descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool starts_with(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

// cpprest's messages are fixed texts; only the error code contains the reason. Codes below 200 are errno values.
std::string reason_of(const http_exception& problem) {
  const int value = problem.error_code().value();
  return value > 0 && value < 200 ? ": " + std::generic_category().message(value) : std::string();
}

RequestFailure failure_of(const http_exception& problem, bool reused, const std::string& tls_failure) {
  using Kind = RequestFailure::Kind;
  const std::string text = problem.what();
  if (!tls_failure.empty()) {
    return {Kind::Broken, tls_failure};
  }
  if (starts_with(text, "Failed to write request")) {
    // On a reused connection this is the usual race with the server's idle timeout. On a new one the server is at fault, and a
    // repeat would not help.
    return {reused ? Kind::NotSent : Kind::Broken, "the connection broke while the request was sent"};
  }
  if (starts_with(text, "Expected a 200 response from proxy")) {
    return {Kind::Broken, "the proxy refused to connect to it"};
  }
  if (text.find("proxy") != std::string::npos) {
    return {Kind::Broken, "cannot connect to the proxy" + reason_of(problem)};
  }
  if (starts_with(text, "Error resolving") || starts_with(text, "Failed to resolve")) {
    return {Kind::Broken, "cannot resolve its name"};
  }
  if (starts_with(text, "Failed to connect")) {
    return {Kind::Broken, "cannot connect" + reason_of(problem)};
  }
  if (starts_with(text, "Error in SSL")) {
    return {Kind::Broken, "the TLS handshake failed" + reason_of(problem)};
  }
  if (starts_with(text, "Invalid HTTP") || starts_with(text, "Invalid chunked")) {
    return {Kind::Broken, "the response is not HTTP"};
  }
  if (starts_with(text, "Failed to read HTTP status line")) {
    return {Kind::Broken, "the connection broke before a response arrived" + reason_of(problem)};
  }
  return {Kind::Broken, "the connection broke in the middle of the response"};
}

std::optional<milliseconds> retry_after(const http_response& response) {
  const auto found = response.headers().find("Retry-After");
  if (found == response.headers().end()) {
    return std::nullopt;
  }
  const std::string& text = found->second;
  std::uint32_t seconds = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || stopped != text.data() + text.size()) {
    return std::nullopt;
  }
  return std::chrono::seconds(seconds);
}

}  // namespace

Result<Server> Server::parse(const std::string& url) {
  Server server;
  const auto refuse = [] {
    return fail(Error(ErrorCode::Configuration, "the server's URL is not https://HOST[:PORT][/PREFIX]"));
  };
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    server.tls = false;
  } else {
    return refuse();
  }
  const std::string_view authority = rest.substr(0, rest.find('/'));
  server.prefix = rest.substr(authority.size());
  while (server.prefix.ends_with('/')) {
    server.prefix.pop_back();
  }
  const bool bracketed = authority.starts_with('[');
  const std::size_t end = bracketed ? authority.find(']') : authority.find(':');
  if ((bracketed && end == std::string_view::npos) || url.find_first_of("@?# ") != std::string::npos) {
    return refuse();
  }
  server.host = bracketed ? authority.substr(1, end - 1) : authority.substr(0, end);
  server.port = server.tls ? 443 : 80;
  std::string_view port = end == std::string_view::npos ? std::string_view() : authority.substr(end + (bracketed ? 1 : 0));
  if (!port.empty()) {
    port.remove_prefix(1);
    const auto [stopped, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (error != std::errc() || stopped != port.data() + port.size() || server.port < 1 || server.port > 65'535) {
      return refuse();
    }
  }
  if (server.host.empty()) {
    return refuse();
  }
  return server;
}

std::string Server::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? name : name + ":" + std::to_string(port);
}

class Connection::Hooks final : public TlsObserver {
 public:
  // `peer`: the host that is connected to, the server or its proxy. `tunnelled`: TLS begins only after the proxy's answer.
  Hooks(const std::string& peer, std::shared_ptr<const TlsIdentity> identity, bool tunnelled)
      : identity_(std::move(identity)), tunnelled_(tunnelled) {
    boost::system::error_code no_address;
    const auto address = boost::asio::ip::make_address(peer, no_address);
    if (!no_address) {
      protocol_ = address.is_v6() ? tcp::v6() : tcp::v4();
    }
  }

  void begin(std::shared_ptr<PendingRequest> pending) {
    const std::lock_guard lock(mutex_);
    pending_ = std::move(pending);
    tls_failure_.clear();
  }
  void finish() {
    const std::lock_guard lock(mutex_);
    pending_.reset();
  }
  void failed(std::string reason) override {
    const std::lock_guard lock(mutex_);
    if (tls_failure_.empty()) {
      tls_failure_ = std::move(reason);
    }
  }
  [[nodiscard]] std::string tls_failure() const {
    const std::lock_guard lock(mutex_);
    return tls_failure_;
  }
  void receiving(std::size_t bytes) override {
    if (const auto pending = current()) {
      pending->receiving(bytes);
    }
  }
  void configure(boost::asio::ssl::context& context) { identity_->configure(context.native_handle(), this); }

  // Called when cpprest has chosen a connection for the request. A new connection has no open socket yet.
  void chosen(web::http::client::native_handle handle) {
    // To a proxy, cpprest opens a plain socket, and wraps it in TLS once the tunnel exists.
    auto* stream = identity_ && !tunnelled_ ? static_cast<boost::asio::ssl::stream<tcp::socket&>*>(handle) : nullptr;
    tcp::socket& socket = stream != nullptr ? stream->next_layer() : *static_cast<tcp::socket*>(handle);
    const bool reused = socket.is_open();
    if (reused && is_dead(socket.native_handle())) {
      throw StaleConnection();
    }
    const auto pending = current();
    if (pending && !pending->may_send(reused)) {
      throw RequestAlreadySent();
    }
    boost::system::error_code problem;
    if (!reused && protocol_) {
      socket.open(*protocol_, problem);  // cpprest would open it a moment later; opened here, abandon() can shut it down
    }
    if (pending && socket.is_open()) {
      pending->connected(socket.native_handle());
    }
    chosen_socket_ = &socket;
    chosen_connection_ = stream != nullptr ? stream->native_handle() : nullptr;
  }

  // A name may have several addresses, so the socket is known only once one of them has accepted the connection. After the
  // first address failed, cpprest continues with a connection object that it passes to no hook; that one cannot be shut down
  // early.
  void handshake(const SSL* connection) override {
    const auto pending = current();
    if (pending && (tunnelled_ || connection == chosen_connection_) && chosen_socket_->is_open()) {
      pending->connected(chosen_socket_->native_handle());
    }
  }

 private:
  [[nodiscard]] std::shared_ptr<PendingRequest> current() const {
    const std::lock_guard lock(mutex_);
    return pending_;
  }

  const std::shared_ptr<const TlsIdentity> identity_;
  const bool tunnelled_;
  mutable std::mutex mutex_;
  std::shared_ptr<PendingRequest> pending_;
  std::string tls_failure_;
  std::optional<tcp> protocol_;  // set when the server is given as an IP address
  // The connection last chosen. Accessed only from the callbacks of the current request, which run one after another.
  tcp::socket* chosen_socket_ = nullptr;
  const SSL* chosen_connection_ = nullptr;
};

Connection::Connection(const Server& server, const std::shared_ptr<const TlsIdentity>& identity,
                       const std::optional<HttpProxy>& proxy)
    : hooks_(std::make_shared<Hooks>(proxy ? proxy->host : server.host, identity, proxy && server.tls)) {
  http_client_config configuration;
  configuration.set_timeout(kNever);
  configuration.set_max_redirects(0);  // following a redirect would send our token to another server
  // The lambda keeps the hooks alive: cpprest holds the configuration as long as a request is in progress.
  configuration.set_nativehandle_options([hooks = hooks_](auto handle) { hooks->chosen(handle); });
  configuration.set_tlsext_sni_enabled(false);  // TlsIdentity sets it
  if (identity) {
    configuration.set_validate_certificates(!identity->skip_verify());
    configuration.set_ssl_context_callback([hooks = hooks_](boost::asio::ssl::context& context) { hooks->configure(context); });
  }
  if (proxy) {
    web::web_proxy through(web::uri("http://" + proxy->host + ":" + std::to_string(proxy->port)));
    if (!proxy->user.empty()) {
      through.set_credentials(web::credentials(proxy->user, proxy->password));
    }
    configuration.set_proxy(through);
  }
  // cpprest tries to resolve an IPv6 address including its brackets, which fails. Without brackets, but with a port, it works.
  const std::string base =
      (server.tls ? "https://" : "http://") + server.host + ":" + std::to_string(server.port) + server.prefix;
  client_ = std::make_unique<http_client>(web::uri(base), configuration);
}

std::string Connection::tls_failure() const {
  return hooks_->tls_failure();
}

void Connection::send(http_request request, const std::shared_ptr<PendingRequest>& pending,
                      std::function<void(const std::shared_ptr<Connection>&)> done) {
  hooks_->begin(pending);
  request.set_response_stream(make_sink(pending, [self = shared_from_this(), done = std::move(done)] {
    self->hooks_->finish();
    done(self);
  }));
  const auto report = [pending, hooks = hooks_](const std::exception_ptr& problem) {
    try {
      std::rethrow_exception(problem);
    } catch (const StaleConnection& stale) {
      pending->ended(RequestFailure{RequestFailure::Kind::Stale, stale.what()});
    } catch (const RequestAlreadySent& sent) {
      pending->ended(RequestFailure{RequestFailure::Kind::Unanswered, sent.what()});
    } catch (const http_exception& broken) {
      pending->ended(failure_of(broken, pending->on_reused_connection(), hooks->tls_failure()));
    } catch (const std::exception&) {
      pending->ended(RequestFailure{RequestFailure::Kind::Broken, "the connection broke"});
    }
  };
  client_->request(request, pending->token()).then([pending, report](const pplx::task<http_response>& head) {
    try {
      const http_response response = head.get();  // does not block: this is its continuation
      pending->answered(response.status_code(), retry_after(response));
      response.content_ready().then([pending, report](const pplx::task<http_response>& whole) {
        try {
          whole.get();
          pending->ended(std::nullopt);
        } catch (...) {  // an exception must not leave cpprest's thread
          report(std::current_exception());
        }
      });
    } catch (...) {
      report(std::current_exception());
    }
  });
}

void ConnectionPool::send(const http_request& request, const std::shared_ptr<PendingRequest>& pending, bool fresh) {
  acquire(fresh)->send(request, pending,
                       [pool = weak_from_this(), pending = pending.get()](const std::shared_ptr<Connection>& connection) {
                         const auto owner = pool.lock();  // the pool may have been replaced by one with new certificates
                         if (owner && pending->reusable()) {
                           owner->put_back(connection);
                         }
                         pending->released();
                       });
}

std::shared_ptr<Connection> ConnectionPool::acquire(bool fresh) {
  {
    const std::lock_guard lock(mutex_);
    if (!fresh && !idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return std::make_shared<Connection>(server_, identity_);
}

void ConnectionPool::put_back(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kMaxIdle) {
    idle_.push_back(connection);
  }
}

}  // namespace athanor::controller
