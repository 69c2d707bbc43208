#include "operator/cluster/leadership.hpp"

#include <thread>

namespace athanor::controller {

void work_alone(const LeaderWork& work, Clock& clock, const StopToken& stop, const Log& log) {
  work.leading(true);
  work.begin(stop);
  while (clock.wait(std::chrono::hours(1), stop)) {
  }
  log.info("operator stopping; running migrations stop at their next safe point");
  work.finish();
}

bool work_while_leading(const LeaderWork& work, KubeClient& client, Clock& clock, const LeaseOptions& lease,
                        const StopToken& stop, const Log& log) {
  work.leading(false);
  // Requested when leadership is lost, and by `stop`: a second signal cancels the work that the first one allowed to finish.
  StopSource over(stop);
  // On a separate thread: begin() may wait for caches, and the Lease must be renewed meanwhile.
  std::thread beginning;
  const auto finish = [&] {
    if (beginning.joinable()) {
      beginning.join();
    }
    work.finish();
  };
  LeaseElection::Callbacks callbacks;
  callbacks.started_leading = [&] {
    work.leading(true);
    log.info("leading", {{"identity", lease.identity}});
    beginning = std::thread([&] { work.begin(over.token()); });
  };
  callbacks.stopped_leading = [&] {
    work.leading(false);
    over.request();
  };
  callbacks.leader_changed = [&](const std::string& identity) { log.info("leader", {{"identity", identity}}); };
  LeaseElection election(client, clock, lease, callbacks, log);
  // A status written after the Lease was lost would overwrite one of the next leader.
  if (work.fenced_by) {
    work.fenced_by([&election] { return election.holds(); });
  }
  election.run(stop, finish);
  // After a lost Lease, run() returns immediately although the work is still ending.
  over.request();
  finish();
  // `election` is destroyed at the end of this function.
  if (work.fenced_by) {
    work.fenced_by({});
  }
  if (!stop.requested()) {
    log.error("leadership was lost; running migrations stop at their next safe point");
  }
  return stop.requested();
}

}  // namespace athanor::controller
