#include "operator/serve/metrics_pages.hpp"

#include <chrono>
#include <exception>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::chrono::milliseconds kApart{100};

}  // namespace

MetricsPages::MetricsPages(Make make, Send send) : make_(std::move(make)), send_(std::move(send)) {
  thread_ = std::thread([this] { run(); });
}

MetricsPages::~MetricsPages() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void MetricsPages::ask(std::uint64_t client) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(client);
  }
  changed_.notify_all();
}

void MetricsPages::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
    if (ends_) {
      return;
    }
    std::vector<std::uint64_t> clients;
    clients.swap(waiting_);
    lock.unlock();
    const Page page = make_page();
    for (const std::uint64_t client : clients) {
      send_(client, page);
    }
    lock.lock();
    changed_.wait_for(lock, kApart, [this] { return ends_; });
  }
}

MetricsPages::Page MetricsPages::make_page() const {
  try {
    return std::make_shared<const std::string>(make_());
  } catch (const std::exception&) {  // an exception must not leave the thread
    return nullptr;
  }
}

}  // namespace athanor::controller
