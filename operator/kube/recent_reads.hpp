// Objects read by name, once for all who may have the same answer.
//
// Ten thousand resources name ten Secrets, and a ConfigMap that changes wakes a thousand resources: each of them needs the
// object as it was at some moment after it was woken, and no newer. So an answer serves whoever was woken before its request
// was sent, for two seconds; who was woken later asks anew. Two resources that want the same object at once send one request,
// and share its error, too. A resource that was changed together with its Secret therefore never meets the Secret of before.
//
// Answers are dropped with the next read after their time: what a Secret holds is in memory for seconds.
//
// Threads: safe from any thread; a read waits for another of the same object. Ownership: borrows reader and clock; answers are
// shared and immutable.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "migrations/base/clock.hpp"
#include "operator/kube/api_client.hpp"

namespace athanor::controller {

class RecentReads {
 public:
  using Answer = Result<std::shared_ptr<const KubeObject>>;
  RecentReads(KubeReader& reader, Clock& clock) : reader_(reader), clock_(clock) {}

  // The object as it was at some moment after `since`; SteadyTime::max() for as it is now. Errors: those of KubeReader::get().
  [[nodiscard]] Answer get(const ResourceType& type, const std::string& name_space, const std::string& name, SteadyTime since);

 private:
  struct Slot {
    std::mutex mutex;  // held while the object is read: the others want the same
    SteadyTime begun{};
    SteadyTime ended{};
    std::optional<Answer> answer;
  };
  [[nodiscard]] std::shared_ptr<Slot> slot(const std::string& key, SteadyTime now);

  KubeReader& reader_;
  Clock& clock_;
  std::mutex mutex_;
  struct DatabaseLocation {
    std::shared_ptr<Slot> slot;
    SteadyTime asked{};
  };
  std::map<std::string, DatabaseLocation> slots_;
  SteadyTime swept_{};
};

}  // namespace athanor::controller
