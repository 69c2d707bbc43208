#include "operator/kube/recent_reads.hpp"

#include <utility>

namespace athanor::controller {
namespace {

constexpr milliseconds kKept{2'000};

}  // namespace

std::shared_ptr<RecentReads::Slot> RecentReads::slot(const std::string& key, SteadyTime now) {
  const std::lock_guard lock(mutex_);
  if (now - swept_ > kKept) {
    swept_ = now;
    // Who still waits in one keeps it; only newcomers no longer find it.
    std::erase_if(slots_, [now](const auto& entry) { return now - entry.second.asked > kKept; });
  }
  DatabaseLocation& place = slots_[key];
  if (!place.slot) {
    place.slot = std::make_shared<Slot>();
  }
  place.asked = now;
  return place.slot;
}

RecentReads::Answer RecentReads::get(const ResourceType& type, const std::string& name_space, const std::string& name,
                                     SteadyTime since) {
  const auto mine = slot(type.group + '/' + type.plural + ' ' + name_space + '/' + name, clock_.steady_now());
  const std::lock_guard lock(mine->mutex);
  const SteadyTime now = clock_.steady_now();
  if (mine->answer && mine->begun > since && now - mine->ended <= kKept) {
    return *mine->answer;
  }
  mine->begun = now;
  auto object = reader_.get(type, name_space, name);
  mine->answer =
      object ? Answer(std::make_shared<const KubeObject>(std::move(*object))) : Answer(fail(std::move(object).error()));
  mine->ended = clock_.steady_now();
  return *mine->answer;
}

}  // namespace athanor::controller
