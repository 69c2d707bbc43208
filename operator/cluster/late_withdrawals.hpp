// Withdraws the status of a resource whose source changed, when no worker comes to it soon.
//
// A worker withdraws a status before it runs anything (reconcile_context.hpp). But while all workers are busy a resource waits
// in the queue, perhaps for minutes, and its status would go on saying Ready of a source that is known to be another one by
// now.
//
// Such a write competes with the worker that takes the resource in the same moment. It names the version that it was made from,
// and is dropped when that is no longer the newest: whoever was faster knows more.
//
// Threads: noticed() from any thread; spawns one, which ends in the destructor. Ownership: borrows everything.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "operator/cluster/cluster_store.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

class LateWithdrawals {
 public:
  LateWithdrawals(ClusterStore& store, const WorkQueue& queue, Clock& clock, Log log,
                  milliseconds patience = milliseconds(250));
  ~LateWithdrawals();
  LateWithdrawals(const LateWithdrawals&) = delete;
  LateWithdrawals& operator=(const LateWithdrawals&) = delete;

  // The resource was queued because its source is now at `version`, which is one item of SourceStatus::revision.
  void noticed(const ResourceKey& key, std::string version);

 private:
  struct Notice {
    ResourceKey key;
    std::string version;
    SteadyTime due;
  };
  void work();
  void withdraw(const Notice& notice);

  ClusterStore& store_;
  const WorkQueue& queue_;
  Clock& clock_;
  Log log_;
  milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Notice> notices_;  // in the order in which they become due
  bool ending_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace athanor::controller
