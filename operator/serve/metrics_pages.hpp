// Makes pages for clients that wait for one, on a thread of its own.
//
// Clients that wait when a page is begun get the same one, and pages are begun at most ten times a second: a crowd that asks
// for metrics costs no more than one that asks ten times a second. Nobody gets a page that was begun before he asked.
//
// Threads: one of its own, which calls `make` and `send`; ask() is safe from any thread. Ownership: owns the thread.
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
  using Page = std::shared_ptr<const std::string>;  // null: it could not be made
  using Make = std::function<std::string()>;
  using Send = std::function<void(std::uint64_t client, const Page& page)>;

  MetricsPages(Make make, Send send);
  ~MetricsPages();
  MetricsPages(const MetricsPages&) = delete;
  MetricsPages& operator=(const MetricsPages&) = delete;

  // Has a page made and sent to this client.
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
