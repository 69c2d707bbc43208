// The informers of cluster mode, which keep store, approvals and queue up to date with the API server.
//
// There is one informer per kind and watched namespace: for DatabaseMigrations, MigrationApprovals, the metadata of ConfigMaps
// (never their content) and, if enabled, Jobs. Watches report changes of objects. Git servers are polled instead
// (source_poll.hpp), and the resync finds what no watch reports, such as a database changed by hand.
//
// A kind of Flux source is watched once the API server has it and the operator may list it; this is tried at startup and then
// once per resync. Nothing else waits for these kinds.
//
// Threads: start() spawns one thread per informer, join() ends them. Ownership: borrows everything in ClusterParts.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "operator/cluster/approval_index.hpp"
#include "operator/cluster/cluster_store.hpp"
#include "operator/cluster/namespace_floors.hpp"
#include "operator/cluster/selected_namespaces.hpp"
#include "operator/cluster/status_withdrawals.hpp"
#include "operator/kube/informer.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

struct ClusterOptions {
  std::vector<std::string> namespaces;  // empty: all
  std::string label_selector;
  bool config_maps = true;
  bool jobs = false;
  bool namespace_labels = false;              // labels that raise policy floors; needs the right to list Namespaces
  std::vector<ResourceType> flux;             // kinds of Flux sources, installed now or later
  milliseconds retry_missing_kinds{300'000};  // pause before a missing kind of Flux source is tried again
  std::uint64_t seed = 0;
};

struct ClusterParts {
  KubeClient& client;
  Clock& clock;
  ClusterStore& store;
  ApprovalIndex& approvals;
  NamespaceFloors& floors;
  WorkQueue& queue;
  StatusWithdrawals* withdrawals = nullptr;  // null: only reconciles update statuses
  InformerHandler* config_maps = nullptr;    // also receives the metadata of every ConfigMap; may be null
  SelectedNamespaces* selected = nullptr;    // null: the resources of all watched namespaces are served
};

class Cluster {
 public:
  Cluster(ClusterParts parts, const ClusterOptions& options, const Log& log);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Starts the informers, which run until `stop` is requested. Call it once.
  void start(const StopToken& stop);
  // Waits until the informers have ended. Request the stop first.
  void join();
  // Whether every informer has completed its first list, except those of Flux sources.
  [[nodiscard]] bool synced() const;
  // Returns, by kind (plural name), how many attempts to list or watch failed in a row up to now.
  [[nodiscard]] std::map<std::string, std::uint64_t> failures() const;
  // Waits until synced() is true. Returns false when a stop was requested first.
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
  std::unique_ptr<Informer> namespaces_;  // of the selected namespaces; null without a selector
  std::vector<std::unique_ptr<Informer>> informers_;
  std::vector<std::pair<Watched, std::unique_ptr<Informer>>> of_flux_;
  std::vector<std::thread> threads_;
};

}  // namespace athanor::controller
