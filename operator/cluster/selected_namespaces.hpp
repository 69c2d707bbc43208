// The namespaces whose labels match --namespace-selector. Only their resources are served.
//
// The API server evaluates the selector: it is the handler of an informer on Namespaces with that selector, which reports a
// Namespace that loses the labels as deleted. The informer of DatabaseMigrations watches all namespaces and delivers through
// resources(), which passes on the events of selected namespaces only. When a namespace becomes selected, its resources are
// listed, because their earlier events were dropped. When it is no longer selected, each of its resources gets a last status
// that says so.
//
// Threads: applied(), deleted() and synced() are called from the informer of Namespaces, and the methods of resources() from
// the informer of DatabaseMigrations. The other methods may be called from any thread. Ownership: borrows client, clock and
// store.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "operator/cluster/cluster_store.hpp"
#include "operator/kube/informer.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

class SelectedNamespaces final : public InformerHandler {
 public:
  // `selector`: of the namespaces. `resource_selector`: of the resources, as the informer of DatabaseMigrations has it.
  SelectedNamespaces(KubeClient& client, Clock& clock, ClusterStore& store, std::string selector, std::string resource_selector,
                     const Log& log);

  // Blocks until the resources of the namespace are listed; a failed list is retried until the stop of
  // wait_until_known() is requested.
  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;

  void synced() override;

  // Waits until the first list of namespaces is complete. From then on, newly selected namespaces are listed; call it before
  // the informer of DatabaseMigrations starts. Returns false when a stop was requested.
  [[nodiscard]] bool wait_until_known(const StopToken& stop);

  [[nodiscard]] const std::string& selector() const { return selector_; }
  // The handler for the informer of DatabaseMigrations.
  [[nodiscard]] InformerHandler& resources() { return resources_; }

 private:
  class Resources final : public InformerHandler {
   public:
    explicit Resources(SelectedNamespaces& owner) : owner_(owner) {}
    void applied(const ResourceKey& key, const KubeObject& object) override;
    void deleted(const ResourceKey& key) override;
    void synced() override { owner_.store_.synced(); }

   private:
    SelectedNamespaces& owner_;
  };
  void list(const std::string& name_space, const StopToken& stop);
  void deliver_listed(const KubeObject& object);

  KubeClient& client_;
  Clock& clock_;
  ClusterStore& store_;
  std::string selector_;
  std::string resource_selector_;
  Log log_;
  Resources resources_{*this};
  std::mutex mutex_;  // also held while an event is passed on, so that none is passed on after its namespace was deselected
  std::set<std::string> selected_;
  bool known_ = false;  // the first list of namespaces is complete
  bool begun_ = false;  // the informer of DatabaseMigrations may have started
  StopToken stop_;
  std::condition_variable changed_;
  std::string listing_;          // the namespace that is being listed
  std::set<ResourceKey> newer_;  // resources of it of which an event arrived meanwhile
};

}  // namespace athanor::controller
