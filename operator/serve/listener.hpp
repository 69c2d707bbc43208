// The operator's HTTP listener: /metrics, /healthz, /readyz, and nothing else.
//
// GET only; a request with a body, another method or another path gets its short refusal and the connection is closed. This
// room is the only one that includes cpprest's listener, which has no limits of its own: bind it to an address that only
// the scraper and the kubelet reach.
//
// Threads: requests are answered on the listener's own small pool; handlers must be safe from any thread. Ownership: owns the
// socket; closes it when destroyed.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

struct ListenerHandlers {
  std::function<std::string()> metrics;
  std::function<bool()> healthy;
  std::function<bool()> ready;
};

class Listener {
 public:
  // "127.0.0.1:8080", "0.0.0.0:8080", "localhost:8080".
  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(const std::string& address, ListenerHandlers handlers);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  struct Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Splits "host:port"; port 1 to 65535.
[[nodiscard]] Result<void> check_listen_address(const std::string& address);

}  // namespace athanor::controller
