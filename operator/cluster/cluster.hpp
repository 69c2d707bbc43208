// Cluster mode: informers that keep store, approvals and queue in step with the API server.
//
// One informer per kind and watched namespace: DatabaseMigrations, MigrationApprovals, the metadata of ConfigMaps (never their
// content), and, where they are switched on, Jobs. Watches report changes (Git servers have none: source_poll.hpp), and the
// resync is for what no watch reports (a database changed by hand).
//
// Kinds of Flux sources are watched once the server has them and the operator may list them: that is tried at the start and
// then once a resync. Nothing else waits for them.
//
// Threads: start() spawns one thread per informer, join() ends them. Ownership: borrows everything in ClusterParts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "operator/cluster/approval_index.hpp"
#include "operator/cluster/cluster_store.hpp"
#include "operator/cluster/namespace_floors.hpp"
#include "operator/cluster/status_withdrawals.hpp"
#include "operator/kube/informer.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

struct ClusterOptions {
  std::vector<std::string> namespaces;  // empty: all of them
  std::string label_selector;
  bool config_maps = true;
  bool jobs = false;
  bool namespace_labels = false;              // floors of policies; needs a right for the whole cluster
  std::vector<ResourceType> flux;             // kinds of Flux sources, installed now or later
  milliseconds retry_missing_kinds{300'000};  // of Flux sources
  std::uint64_t seed = 0;
};

struct ClusterParts {
  KubeClient& client;
  Clock& clock;
  ClusterStore& store;
  ApprovalIndex& approvals;
  NamespaceFloors& floors;
  WorkQueue& queue;
  StatusWithdrawals* withdrawals = nullptr;  // null: statuses wait for a worker
  InformerHandler* config_maps = nullptr;    // is told of the metadata of every ConfigMap; null: nobody else is
};

class Cluster {
 public:
  Cluster(ClusterParts parts, const ClusterOptions& options, const Log& log);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Once. The informers run until `stop` is requested.
  void start(const StopToken& stop);
  // After a stop was requested: returns when the informers have ended.
  void join();
  // Every informer has its first list, those of Flux sources aside.
  [[nodiscard]] bool synced() const;
  // Waits for that. False when a stop was requested first.
  [[nodiscard]] bool wait_until_synced(const StopToken& stop) const;

 private:
  class Waker;
  struct Watched {
    ResourceType type;
    std::string name_space;
    std::string selector;
    bool metadata_only = false;
  };
  [[nodiscard]] std::unique_ptr<Informer> inform(const Watched& watched, InformerHandler& handler, const Log& log);
  [[nodiscard]] InformerHandler& wake_by(const ResourceType& type, InformerHandler* first = nullptr);
  [[nodiscard]] bool wait_for_kind(const Watched& watched, const StopToken& stop);

  ClusterParts parts_;
  std::uint64_t seed_;
  milliseconds retry_missing_kinds_;
  std::vector<std::unique_ptr<Waker>> wakers_;
  std::vector<std::unique_ptr<Informer>> informers_;
  std::vector<std::pair<Watched, std::unique_ptr<Informer>>> of_flux_;
  std::vector<std::thread> threads_;
};

}  // namespace athanor::controller
