// Cluster mode: informers that keep store, approvals and queue in step with the API server.
//
// One informer per kind and watched namespace: DatabaseMigrations, MigrationApprovals, the metadata of ConfigMaps (never their
// content), and, where they are switched on, Jobs and Flux sources. Nothing polls: what changes is told, and the resync is
// for what nobody tells (a database changed by hand).
//
// Threads: start() spawns one thread per informer, stop() ends them. Ownership: borrows everything in ClusterParts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "operator/cluster/approval_book.hpp"
#include "operator/cluster/cluster_store.hpp"
#include "operator/kube/informer.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

struct ClusterOptions {
  std::vector<std::string> namespaces;  // empty: all of them
  std::string label_selector;
  bool config_maps = true;
  bool jobs = false;
  std::vector<ResourceType> flux;  // kinds of Flux sources the server has
  std::uint64_t seed = 0;
};

struct ClusterParts {
  KubeClient& client;
  Clock& clock;
  ClusterStore& store;
  ApprovalBook& approvals;
  WorkQueue& queue;
};

class Cluster {
 public:
  Cluster(ClusterParts parts, const ClusterOptions& options, const Log& log);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  void start(const StopToken& stop);
  // After a stop was requested: returns when the informers have ended.
  void join();
  // Every informer has its first list.
  [[nodiscard]] bool synced() const;

 private:
  class Waker;
  void add(const ResourceType& type, const std::string& name_space, const std::string& selector, bool metadata_only,
           InformerHandler& handler, const Log& log);

  ClusterParts parts_;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Waker>> wakers_;
  std::vector<std::unique_ptr<Informer>> informers_;
  std::vector<std::thread> threads_;
};

}  // namespace athanor::controller
