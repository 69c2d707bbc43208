// Withdraws the status of a resource as soon as a watch reports that its source changed.
//
// A worker withdraws a status before it runs anything (reconcile_context.hpp), but first it connects to the database, and while
// all workers are busy the resource waits in the queue. `helm --wait` looks some milliseconds after it has applied the change:
// by then the status must not say Ready, nor an old failure, of a source that is known to be another one.
//
// Such a write competes with the worker that has the resource in the same moment. It names the version that it was made from,
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

class StatusWithdrawals {
 public:
  StatusWithdrawals(ClusterStore& store, const WorkQueue& queue, Clock& clock, Log log);
  ~StatusWithdrawals();
  StatusWithdrawals(const StatusWithdrawals&) = delete;
  StatusWithdrawals& operator=(const StatusWithdrawals&) = delete;

  // The source of the resource is now at `version`, which is one item of SourceStatus::revision. Returns at once.
  void noticed(const ResourceKey& key, std::string version);

 private:
  struct Notice {
    ResourceKey key;
    std::string version;
    SteadyTime due;
    SteadyTime forget;
  };
  void work();
  void withdraw(const Notice& notice);
  // Once more: a worker that read the source before it changed may end with a status of the old one.
  void look_again(Notice notice);

  ClusterStore& store_;
  const WorkQueue& queue_;
  Clock& clock_;
  Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Notice> fresh_;
  std::deque<Notice> later_;  // in the order in which they become due
  bool ending_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace athanor::controller
