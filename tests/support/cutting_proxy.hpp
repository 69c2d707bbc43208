// A TCP proxy that can lose a server's answer. It forwards both ways until the client sends a marker that the test chose; then
// it cuts the connection before the answer. A client sees what a network failure during COMMIT looks like: the COMMIT was sent,
// and its outcome is unknown.
//
// Threads: forwards on its own threads; call cut_after() before the client sends the marker. Ownership: the destructor closes
// every connection and joins the threads.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace athanor::test {

class CuttingProxy {
 public:
  // Listens on a free port of 127.0.0.1 and forwards to `port`.
  explicit CuttingProxy(int port);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // When the client next sends data that contains `marker`, closes the client's connection before any answer. The data itself
  // is forwarded only if `deliver`; then the server's connection stays open for `linger`, with its answers discarded, so that
  // the server can finish.
  void cut_after(const std::string& marker, bool deliver, std::chrono::milliseconds linger = std::chrono::milliseconds(300));
  // True once a connection was cut since the last cut_after().
  [[nodiscard]] bool has_cut() const { return cut_; }

 private:
  void serve();
  void forward(int client);
  void drain(int server) const;

  int target_;
  int listener_ = -1;
  int port_ = 0;
  std::string marker_;
  std::chrono::milliseconds linger_{0};
  std::atomic<bool> armed_{false};
  std::atomic<bool> deliver_{true};
  std::atomic<bool> cut_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace athanor::test
