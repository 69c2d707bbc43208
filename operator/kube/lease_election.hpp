// Leader election over a coordination.k8s.io Lease, with client-go's semantics.
//
// The holder renews every `retry`. A candidate takes over when the Lease has not changed for `duration` by the candidate's own
// clock; it never compares the timestamps in the Lease with its clock. A holder that cannot renew for `renew_deadline` stops
// leading before another may start. A Lease is not a fence: two leaders are possible for moments, and the advisory lock in the
// database keeps them apart.
//
// Threads: run() blocks its thread. While leading, a second thread watches the deadline. leading() and holds() from any thread.
// Callbacks are called from run()'s thread, but stopped_leading from the second one when the deadline passes. Ownership:
// borrows client and clock.
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
  std::string identity{};  // pod name and a random suffix
  milliseconds duration{15'000};
  milliseconds renew_deadline{10'000};
  milliseconds retry{2'000};  // multiplied by a jitter of 1.0 to 1.2
  std::uint64_t seed = 0;     // for the jitter
};

class LeaseElection {
 public:
  struct Callbacks {
    std::function<void()> started_leading;
    // Leadership was lost or is about to be released: start no new work. Called once, even while a request to the server hangs.
    std::function<void()> stopped_leading;
    // The Lease has a new holder: another replica or this one.
    std::function<void(const std::string& identity)> leader_changed;
  };
  // `client` should serve this election alone, with a deadline of half the renew deadline and a stop token that outlives a
  // graceful shutdown.
  LeaseElection(KubeClient& client, Clock& clock, LeaseOptions options, Callbacks callbacks, const Log& log);

  // Blocks until leadership is lost or `stop` is requested. On a stop while leading, it calls stopped_leading, waits for
  // `release_when` to return (running work has ended; it runs in its own thread while the Lease is renewed), then releases the
  // Lease so that a successor need not wait. Call it once.
  void run(const StopToken& stop, const std::function<void()>& release_when = {});
  // Whether the Lease still belongs to this replica, while it leads and while its running work ends.
  [[nodiscard]] bool holds() const { return clock_.steady_now().time_since_epoch().count() < valid_until_; }
  // Whether this replica may start work. False as soon as renew_deadline has passed since the last successful renewal was sent.
  [[nodiscard]] bool leading() const { return leading_ && clock_.steady_now().time_since_epoch().count() < valid_until_; }

 private:
  struct Observed {
    KubeObject lease;  // null: not read yet, or it does not exist
    SteadyTime at;     // when this spec was first seen; the Lease expires `duration` later
  };
  [[nodiscard]] bool attempt();
  [[nodiscard]] bool renew(const std::string& now);
  [[nodiscard]] bool create(const std::string& now);
  [[nodiscard]] bool take_over(const std::string& now);
  void observe(KubeObject lease);
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
  std::minstd_rand random_;
  Observed observed_;
  std::string leader_;  // as last passed to leader_changed
  std::atomic<bool> leading_{false};
  std::atomic<SteadyTime::rep> valid_until_{0};
};

}  // namespace athanor::controller
