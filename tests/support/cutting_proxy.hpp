// A TCP proxy that can lose an answer: it forwards both ways until it is told to swallow what the server says, and then cuts
// the line. What a client sees is a COMMIT that went out and never came back.
//
// Threads: forwards on a thread of its own. Ownership: closes everything when destroyed.
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
  // When the client next sends something that contains `marker`: forward it if `deliver`, then cut the client's side before any
  // answer. The server's side stays open for `linger`, its answers thrown away, so that it can finish what it was sent.
  void cut_after(const std::string& marker, bool deliver, std::chrono::milliseconds linger = std::chrono::milliseconds(300));
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
