#include "operator/cluster/source_poll.hpp"

#include <exception>

namespace athanor::controller {
namespace {

constexpr milliseconds kBetween{1'000};

bool has_source(const std::optional<DatabaseMigration>& resource, const GitSource& source) {
  return resource && !resource->spec.suspend && !resource->metadata.deleting && resource->spec.source.git == source;
}

}  // namespace

void SourcePoll::start(const StopToken& stop) {
  thread_ = std::thread([this, stop] {
    while (clock_.wait(kBetween, stop)) {
      try {
        poll_once();
      } catch (const std::exception& exception) {  // an exception must not leave the thread
        log_.error("failed to poll Git servers", {{"error", exception.what()}});
      }
    }
  });
}

void SourcePoll::join() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

void SourcePoll::poll_once() {
  const auto moved = repositories_.poll(
      [this](const ResourceKey& key, const GitSource& source) { return has_source(store_.find(key), source); });
  for (const auto& [key, revision] : moved) {
    queue_.add(key);
    withdrawals_.noticed(key, {"git", revision});
  }
}

}  // namespace athanor::controller
