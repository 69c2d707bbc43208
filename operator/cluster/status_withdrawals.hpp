// Withdraws the status of a resource as soon as a watch reports that its source changed.
//
// A worker withdraws a status before it runs anything (reconcile_context.hpp). But it connects to the database first, and while
// all workers are busy the resource waits in the queue. `helm --wait` reads the status a few milliseconds after it has applied
// the change. By then the status must not report Ready, nor an old failure, for a source that is known to have changed.
//
// Such a write competes with the worker that reconciles the resource at the same time. It is conditional on the resourceVersion
// it was computed from, and is dropped when the object has changed since: the other writer knows more. After each withdrawal
// the resource is queued: if its last reconcile has already ended, nothing else would make the status final again before the
// resync.
//
// Threads: noticed() from any thread; it has its own thread, which ends in the destructor. Ownership: borrows everything.
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
  StatusWithdrawals(ClusterStore& store, WorkQueue& queue, Clock& clock, Log log);
  ~StatusWithdrawals();
  StatusWithdrawals(const StatusWithdrawals&) = delete;
  StatusWithdrawals& operator=(const StatusWithdrawals&) = delete;

  struct SeenVersion {
    std::string object;   // what changed: a resource may have several ConfigMaps
    std::string version;  // one item of SourceStatus::revision
  };
  // Reports the version that the resource's source has now. Supersedes earlier reports about the same object. Returns
  // immediately.
  void noticed(const ResourceKey& key, SeenVersion seen);

 private:
  struct Notice {
    ResourceKey key;
    SeenVersion seen;
    SteadyTime due;
    SteadyTime forget;
  };
  void work();
  void withdraw(const Notice& notice);
  // Repeats the check later: a worker that read the source before it changed may end with a status of the old source.
  void check_again(Notice notice);
  // Whether both are about the same object of the same resource.
  [[nodiscard]] static bool is_same_object(const Notice& one, const Notice& other);
  // Removes the notices about the same object of the same resource. Requires mutex_.
  void drop_older(const Notice& than);

  ClusterStore& store_;
  WorkQueue& queue_;
  Clock& clock_;
  Log log_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Notice> fresh_;
  std::deque<Notice> later_;  // ordered by due time
  bool ending_ = false;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace athanor::controller
