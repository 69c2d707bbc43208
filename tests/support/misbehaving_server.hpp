// A server that runs a test's script for each connection. It uses plain sockets and OpenSSL instead of an HTTP library, so that
// a script can answer slowly, wrongly, or not at all.
//
//   MisbehavingServer server([](ServerConnection& connection) {
//     connection.read_request();
//     connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
//     connection.reset();
//   });
//
// When the script returns, the connection is closed. Scripts must not sleep; hold() waits until the client closes or the test
// ends.
//
// Threads: each connection runs the script on its own thread; any thread may read the counters. Ownership: the destructor
// closes every connection and joins the threads.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace athanor::test {

class MisbehavingServer;

class ServerConnection {
 public:
  ServerConnection(MisbehavingServer& server, int socket, int number) : server_(server), socket_(socket), number_(number) {}
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  [[nodiscard]] int number() const { return number_; }  // counts from 1
  // Head and body (by Content-Length) of the next request; empty when the client closed.
  std::string read_request();
  // The next bytes that arrive; empty when the client closed.
  std::string receive();
  bool send(std::string_view bytes);
  // Sends a complete, correct response.
  bool answer(int status, std::string_view body, std::string_view more_headers = {});
  bool begin_chunked(int status = 200);
  bool chunk(std::string_view bytes);
  bool end_chunks() { return send("0\r\n\r\n"); }
  // Waits until the client closes or the server is destroyed.
  void hold();
  // Closes the connection with a TCP reset.
  void reset();
  void close();
  // The server name (SNI) that the client sent; empty when it sent none.
  [[nodiscard]] std::string server_name() const;

 private:
  friend class MisbehavingServer;
  [[nodiscard]] bool handshake(SSL_CTX* context);
  [[nodiscard]] long read_some(char* buffer, std::size_t size);

  MisbehavingServer& server_;
  std::atomic<int> socket_;
  int number_;
  SSL* tls_ = nullptr;
  std::string unread_;
};

struct ServerTls {
  std::string certificate_pem;
  std::string key_pem;
  std::string demand_client_of;  // authority (PEM) that must have issued the client's certificate; empty: no client certificate
};

class MisbehavingServer {
 public:
  using Script = std::function<void(ServerConnection&)>;
  explicit MisbehavingServer(Script script, const std::optional<ServerTls>& tls = std::nullopt, bool ipv6 = false);
  ~MisbehavingServer();
  MisbehavingServer(const MisbehavingServer&) = delete;
  MisbehavingServer& operator=(const MisbehavingServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const;  // 127.0.0.1, or [::1]
  [[nodiscard]] int connections() const { return connections_; }
  [[nodiscard]] std::vector<std::string> requests() const;
  // Bytes sent on all connections.
  [[nodiscard]] std::size_t sent() const { return sent_; }

 private:
  friend class ServerConnection;
  void accept_all();
  void serve(int socket, int number);

  Script script_;
  bool ipv6_;
  SSL_CTX* context_ = nullptr;
  int port_ = 0;  // declared before listener_, whose initializer sets it
  int listener_ = -1;
  int over_ = -1;  // becomes readable when the server is destroyed
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> sent_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<ServerConnection*> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A free port of 127.0.0.1 on which no process listens.
[[nodiscard]] int closed_port();

}  // namespace athanor::test
