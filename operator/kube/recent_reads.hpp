// Shares API reads among reconciles that were queued before the read was sent.
//
// Ten thousand resources may refer to ten Secrets, and one changed ConfigMap queues a thousand reconciles. Each reconcile needs
// the object as it was at some moment after the reconcile was queued. So for two seconds a response serves every reconcile that
// was queued before its request was sent. A reconcile queued by a change never sees an object from before that change.
//
// A quota keeps one namespace from using up the API server: requests for its ConfigMaps beyond a number per minute fail with a
// retryable error.
//
// Threads: safe from any thread; a read waits for a read of the same object in progress. Ownership: borrows reader and clock;
// objects are shared and immutable. Secrets: the next read drops expired entries, so values stay in memory for seconds.
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
  // `a_minute`: how many ConfigMaps of one namespace may be requested per minute; 0: no limit.
  RecentReads(KubeReader& reader, Clock& clock, std::size_t a_minute = 0)
      : reader_(reader), clock_(clock), a_minute_(a_minute) {}

  // Returns the object as it was at some moment after `since`, usually the time the reconcile was queued; SteadyTime::max()
  // forces a new request. Errors: those of KubeReader::get(), shared like objects; ApiUnreachable (transient) above the quota.
  [[nodiscard]] Answer get(const ResourceType& type, const std::string& name_space, const std::string& name, SteadyTime since);

 private:
  struct Entry {
    std::mutex mutex;  // held during the request: concurrent reads of the object wait for this one
    SteadyTime sent{};
    SteadyTime received{};
    std::optional<Answer> answer;
  };
  [[nodiscard]] std::shared_ptr<Entry> entry(const std::string& key, SteadyTime now);
  [[nodiscard]] Result<void> count(const ResourceType& type, const std::string& name_space, SteadyTime now);

  KubeReader& reader_;
  Clock& clock_;
  std::mutex mutex_;
  struct Lookup {
    std::shared_ptr<Entry> entry;
    SteadyTime requested_at{};
  };
  std::map<std::string, Lookup> entries_;
  SteadyTime swept_{};
  std::size_t a_minute_;
  SteadyTime minute_{};                        // when the counted minute began
  std::map<std::string, std::size_t> counts_;  // by namespace
};

}  // namespace athanor::controller
