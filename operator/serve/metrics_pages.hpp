// Renders the metrics page for waiting clients, on a separate thread.
//
// All clients that wait when rendering starts receive the same page, and at most ten pages are rendered per second, so many
// clients cost no more than one that asks ten times a second. No client receives a page whose rendering started before its
// request.
//
// Threads: its own thread calls `make` and `send`; ask() is safe from any thread. Ownership: owns the thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace athanor::controller {

class MetricsPages {
 public:
  using Page = std::shared_ptr<const std::string>;  // null: rendering failed
  using Make = std::function<std::string()>;
  using Send = std::function<void(std::uint64_t client, const Page& page)>;

  MetricsPages(Make make, Send send);
  ~MetricsPages();
  MetricsPages(const MetricsPages&) = delete;
  MetricsPages& operator=(const MetricsPages&) = delete;

  // Requests a page for this client; returns immediately.
  void ask(std::uint64_t client);

 private:
  void run();
  [[nodiscard]] Page make_page() const;

  Make make_;
  Send send_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> waiting_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace athanor::controller
