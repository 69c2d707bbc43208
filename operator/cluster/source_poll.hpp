// Asks Git servers what tags and branches point to, because no watch tells, and wakes the resources whose source moved.
//
// Threads: start() spawns one, which ends with its token; join() waits for it. A question to a server ends with the token that
// the repositories were made with. Ownership: borrows everything.
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

  // Once. Until a resource was loaded there is nothing to ask.
  void start(const StopToken& stop);
  void join();
  // What is due now.
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
