// Polls Git servers for what tags and branches point to, because no watch reports it, and queues the resources whose source
// moved.
//
// Threads: start() spawns a thread, which ends with its stop token; join() waits for it. A running request to a Git server ends
// with the token that the repositories were created with. Ownership: borrows everything.
#pragma once

#include <thread>
#include <utility>

#include "operator/cluster/cluster_store.hpp"
#include "operator/cluster/status_withdrawals.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/work_queue.hpp"
#include "operator/sources/git_source.hpp"

namespace athanor::controller {

class SourcePoll {
 public:
  SourcePoll(GitRepositories& repositories, const ClusterStore& store, WorkQueue& queue, StatusWithdrawals& withdrawals,
             Clock& clock, Log log)
      : repositories_(repositories),
        store_(store),
        queue_(queue),
        withdrawals_(withdrawals),
        clock_(clock),
        log_(std::move(log)) {}
  ~SourcePoll() { join(); }
  SourcePoll(const SourcePoll&) = delete;
  SourcePoll& operator=(const SourcePoll&) = delete;

  // Starts polling. Call it once. A resource is polled after its first load.
  void start(const StopToken& stop);
  void join();
  // Polls the sources that are due now.
  void poll_once();

 private:
  GitRepositories& repositories_;
  const ClusterStore& store_;
  WorkQueue& queue_;
  StatusWithdrawals& withdrawals_;
  Clock& clock_;
  Log log_;
  std::thread thread_;
};

}  // namespace athanor::controller
