// Leader election over a coordination.k8s.io Lease: among replicas, one works and the others stand by with warm caches.
//
// The holder renews every `retry`; a candidate takes over when the Lease did not change for `duration` by the candidate's own
// clock (the times written in the Lease are never compared with it). A holder that cannot renew for `renew_deadline` stops
// leading before others may begin. At shutdown the Lease is given back, so that a successor does not wait. A Lease is no
// fence: two leaders are possible for moments, and the advisory lock in the database is what keeps them apart.
//
// leading() is false as soon as the renew deadline has passed, counted from the moment when the last renewal that succeeded was
// sent, and stopped_leading is called then, even while a request to the server hangs; run() returns when that request ends.
// Give the election a client of its own, whose deadline is half the renew deadline and whose stop token outlives a graceful
// stop.
//
// Threads: run() occupies its thread, and while it leads one more that watches the deadline; leading() from any. Callbacks come
// from run()'s thread, stopped_leading from the other one when the deadline passes. Ownership: borrows client, clock.
#pragma once

#include <atomic>
#include <functional>
#include <random>
#include <string>

#include "operator/kube/api_client.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

struct LeaseOptions {
  std::string name_space{};
  std::string name = "athanor-operator";
  std::string identity{};  // pod name and a random part
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
  LeaseElection(KubeClient& client, Clock& clock, LeaseOptions options, Callbacks callbacks, const Log& log);

  // Until leadership is lost or a stop is requested. On a stop while leading: stopped_leading first, then the caller's
  // `release_when` must return (running work has ended; it runs in a thread of its own while the Lease is renewed), then the
  // Lease is given back.
  void run(const StopToken& stop, const std::function<void()>& release_when = {});
  [[nodiscard]] bool leading() const { return leading_ && clock_.steady_now().time_since_epoch().count() < valid_until_; }

 private:
  // What somebody else could still believe of the Lease, by what was seen of it and when.
  struct Observed {
    KubeObject lease;  // null: nothing seen yet, or nothing there
    SteadyTime at;     // when its spec was first seen to be so
  };
  [[nodiscard]] bool attempt();
  [[nodiscard]] bool renew_from_memory(const std::string& now);
  [[nodiscard]] bool create(const std::string& now);
  [[nodiscard]] bool take_over(const std::string& now);
  void see(KubeObject lease);
  [[nodiscard]] bool held_by_another() const;
  void acquire(const StopToken& stop);
  [[nodiscard]] bool hold_in_time(const StopToken& stop);
  void hold(const StopToken& stop);
  void stop_leading(const char* why);
  [[nodiscard]] milliseconds time_left() const;
  void finish_work(const std::function<void()>& release_when);
  void release();
  void set_valid_since(SteadyTime sent);
  [[nodiscard]] milliseconds next_pause();

  KubeClient& client_;
  Clock& clock_;
  LeaseOptions options_;
  Callbacks callbacks_;
  Log log_;
  std::minstd_rand luck_;
  Observed observed_;
  std::string leader_;  // as last told
  std::atomic<bool> leading_{false};
  std::atomic<SteadyTime::rep> valid_until_{0};
};

}  // namespace athanor::controller
