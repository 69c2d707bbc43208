#include "tests/support/misbehaving_server.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

namespace athanor::test {
namespace {

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

SSL_CTX* context_of(const ServerTls& tls) {
  SSL_CTX* context = ::SSL_CTX_new(::TLS_server_method());
  const Bio certificate_text(::BIO_new_mem_buf(tls.certificate_pem.data(), -1), &::BIO_free);
  const Bio key_text(::BIO_new_mem_buf(tls.key_pem.data(), -1), &::BIO_free);
  X509* certificate = ::PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr);
  EVP_PKEY* key = ::PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr);
  if (::SSL_CTX_use_certificate(context, certificate) != 1 || ::SSL_CTX_use_PrivateKey(context, key) != 1) {
    throw std::runtime_error("the test server's certificate is unusable");
  }
  ::X509_free(certificate);
  ::EVP_PKEY_free(key);
  if (!tls.demand_client_of.empty()) {
    const Bio authority_text(::BIO_new_mem_buf(tls.demand_client_of.data(), -1), &::BIO_free);
    X509* authority = ::PEM_read_bio_X509(authority_text.get(), nullptr, nullptr, nullptr);
    ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context), authority);
    ::X509_free(authority);
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return context;
}

// Returns a socket bound to a free port of the loopback interface, and sets `port`.
int bound_socket(bool ipv6, int& port) {
  const int socket = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 six{};
  sockaddr_in four{};
  six.sin6_family = AF_INET6;
  six.sin6_addr = in6addr_loopback;
  four.sin_family = AF_INET;
  four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = ipv6 ? reinterpret_cast<sockaddr*>(&six) : reinterpret_cast<sockaddr*>(&four);
  socklen_t size = ipv6 ? sizeof six : sizeof four;
  if (socket < 0 || ::bind(socket, address, size) != 0 || ::getsockname(socket, address, &size) != 0) {
    throw std::runtime_error("the test server has no address to listen on");
  }
  port = ntohs(ipv6 ? six.sin6_port : four.sin_port);
  return socket;
}

const char* reason(int status) {
  return status == 200 ? "OK" : "Because";
}

}  // namespace

ServerConnection::~ServerConnection() {
  close();
  if (tls_ != nullptr) {
    ::SSL_free(tls_);
  }
}

bool ServerConnection::handshake(SSL_CTX* context) {
  if (context == nullptr) {
    return true;
  }
  tls_ = ::SSL_new(context);
  ::SSL_set_fd(tls_, socket_);
  return ::SSL_accept(tls_) == 1;
}

long ServerConnection::read_some(char* buffer, std::size_t size) {
  return tls_ != nullptr ? ::SSL_read(tls_, buffer, static_cast<int>(size)) : ::recv(socket_, buffer, size, 0);
}

std::string ServerConnection::read_request() {
  char buffer[16384];
  std::size_t needed = std::string::npos;
  while (true) {
    if (const auto end = unread_.find("\r\n\r\n"); needed == std::string::npos && end != std::string::npos) {
      std::string head = unread_.substr(0, end);
      std::transform(head.begin(), head.end(), head.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      const auto length = head.find("content-length:");
      needed = end + 4 + (length == std::string::npos ? 0 : std::stoul(head.substr(length + 15)));
    }
    if (needed != std::string::npos && unread_.size() >= needed) {
      std::string request = unread_.substr(0, needed);
      unread_.erase(0, needed);
      const std::lock_guard lock(server_.mutex_);
      server_.requests_.push_back(request);
      return request;
    }
    const long got = read_some(buffer, sizeof buffer);
    if (got <= 0) {
      return {};
    }
    unread_.append(buffer, static_cast<std::size_t>(got));
  }
}

std::string ServerConnection::receive() {
  char buffer[16384];
  const long got = read_some(buffer, sizeof buffer);
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
}

bool ServerConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long sent = tls_ != nullptr ? ::SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    server_.sent_ += static_cast<std::size_t>(sent);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool ServerConnection::answer(int status, std::string_view body, std::string_view more_headers) {
  return send("HTTP/1.1 " + std::to_string(status) + " " + reason(status) + "\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n" + std::string(more_headers) + "\r\n" + std::string(body));
}

bool ServerConnection::begin_chunked(int status) {
  return send("HTTP/1.1 " + std::to_string(status) + " " + reason(status) + "\r\nTransfer-Encoding: chunked\r\n\r\n");
}

bool ServerConnection::chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return send(std::string(size) + std::string(bytes) + "\r\n");
}

void ServerConnection::hold() {
  char buffer[4096];
  while (true) {
    pollfd descriptors[2] = {{socket_, POLLIN, 0}, {server_.over_, POLLIN, 0}};
    ::poll(descriptors, 2, -1);
    if (descriptors[1].revents != 0 || ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT) <= 0) {
      return;
    }
  }
}

void ServerConnection::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(socket_.exchange(-1));
}

void ServerConnection::close() {
  if (socket_ < 0) {
    return;
  }
  if (tls_ != nullptr && ::SSL_is_init_finished(tls_) == 1) {
    ::SSL_shutdown(tls_);
  }
  ::ERR_clear_error();
  ::close(socket_.exchange(-1));
}

std::string ServerConnection::server_name() const {
  const char* name = tls_ != nullptr ? ::SSL_get_servername(tls_, TLSEXT_NAMETYPE_host_name) : nullptr;
  return name != nullptr ? name : "";
}

MisbehavingServer::MisbehavingServer(Script script, const std::optional<ServerTls>& tls, bool ipv6)
    : script_(std::move(script)),
      ipv6_(ipv6),
      context_(tls ? context_of(*tls) : nullptr),
      listener_(bound_socket(ipv6, port_)),
      over_(::eventfd(0, EFD_CLOEXEC)) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  ::listen(listener_, 128);
  acceptor_ = std::thread([this] { accept_all(); });
}

MisbehavingServer::~MisbehavingServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(over_, &one, sizeof one);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const ServerConnection* connection : open_) {
      ::shutdown(connection->socket_, SHUT_RDWR);
    }
  }
  for (auto& thread : threads_) {
    thread.join();
  }
  ::close(listener_);
  ::close(over_);
  ::SSL_CTX_free(context_);
}

std::string MisbehavingServer::url() const {
  return std::string(context_ != nullptr ? "https://" : "http://") + (ipv6_ ? "[::1]:" : "127.0.0.1:") + std::to_string(port_);
}

std::vector<std::string> MisbehavingServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void MisbehavingServer::accept_all() {
  while (true) {
    pollfd descriptors[2] = {{listener_, POLLIN, 0}, {over_, POLLIN, 0}};
    ::poll(descriptors, 2, -1);
    if (descriptors[1].revents != 0) {
      return;
    }
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) {
      const int yes = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      threads_.emplace_back([this, socket, number = ++connections_] { serve(socket, number); });
    }
  }
}

void MisbehavingServer::serve(int socket, int number) {
  ServerConnection connection(*this, socket, number);
  {
    const std::lock_guard lock(mutex_);
    open_.push_back(&connection);
  }
  if (connection.handshake(context_)) {
    script_(connection);
  } else {
    connection.hold();  // an immediate close could reset the connection before the client reads the TLS alert
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, &connection);
}

int closed_port() {
  int port = 0;
  const int socket = bound_socket(false, port);
  ::close(socket);
  return port;
}

}  // namespace athanor::test
