// A server that does with each connection what a test's script says: sockets and OpenSSL, no HTTP library, so that it can be
// slow, wrong, silent or gone.
//
//   MisbehavingServer server([](ServerConnection& connection) {
//     connection.read_request();
//     connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
//     connection.reset();
//   });
//
// The script runs once per connection, on a thread of its own; when it returns, the connection is closed. Nothing in it
// sleeps: hold() waits until the client has gone or the test is over.
//
// Threads: as said; figures may be read from any thread. Ownership: closes and joins everything when destroyed.
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

  [[nodiscard]] int number() const { return number_; }  // 1 is the first one
  // Head and body (by Content-Length) of the next request; empty when the client went away.
  std::string read_request();
  // Some bytes, whatever they are; empty when the client went away.
  std::string receive();
  bool send(std::string_view bytes);
  // Answers with a whole, correct message.
  bool answer(int status, std::string_view body, std::string_view more_headers = {});
  bool begin_chunked(int status = 200);
  bool chunk(std::string_view bytes);
  bool end_chunks() { return send("0\r\n\r\n"); }
  // Until the client closes, or the server is being destroyed.
  void hold();
  // A reset instead of an end.
  void reset();
  void close();
  // Server name indication of the client; empty when it sent none.
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
  std::string demand_client_of;  // authority whose certificates a client must show; empty: none is asked for
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
  int port_ = 0;  // before the listener, which fills it
  int listener_ = -1;
  int over_ = -1;  // readable when the server is being destroyed
  std::atomic<int> connections_{0};
  std::atomic<std::size_t> sent_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<ServerConnection*> open_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// A port of 127.0.0.1 where nobody listens.
[[nodiscard]] int closed_port();

}  // namespace athanor::test
