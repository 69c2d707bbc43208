// Leader election over a coordination.k8s.io Lease: among replicas, one works and the others stand by with warm caches.
//
// The holder renews every `retry`; a candidate takes over when the Lease did not change for `duration` by the candidate's own
// clock (the times written in the Lease are never compared with it). A holder that cannot renew for `renew_deadline` stops
// leading before others may begin. At shutdown the Lease is given back, so that a successor does not wait. A Lease is no
// fence: two leaders are possible for moments, and the advisory lock in the database is what keeps them apart.
//
// Threads: run() occupies its thread; leading() from any. Callbacks come from run()'s thread. Ownership: borrows client, clock.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "operator/kube/api_client.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

struct LeaseOptions {
  std::string name_space;
  std::string name = "athanor-operator";
  std::string identity;  // pod name and a random part
  milliseconds duration{15'000};
  milliseconds renew_deadline{10'000};
  milliseconds retry{2'000};  // times 1.0 to 1.2
  std::uint64_t seed = 0;
};

class LeaseElection {
 public:
  struct Callbacks {
    std::function<void()> started_leading;
    // Leadership is lost (or given back): nothing new may be begun. Called once.
    std::function<void()> stopped_leading;
    std::function<void(const std::string& identity)> leader_changed;
  };
  LeaseElection(KubeClient& client, Clock& clock, LeaseOptions options, Callbacks callbacks, Log log);

  // Until leadership is lost or a stop is requested. On a stop while leading: stopped_leading first, then the caller's
  // `release_when` must return (running work has ended), then the Lease is given back.
  void run(const StopToken& stop, const std::function<void()>& release_when = {});
  [[nodiscard]] bool leading() const { return leading_; }

 private:
  KubeClient& client_;
  Clock& clock_;
  LeaseOptions options_;
  Callbacks callbacks_;
  Log log_;
  std::atomic<bool> leading_{false};
};

}  // namespace athanor::controller
