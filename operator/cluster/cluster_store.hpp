// The store of cluster mode: DatabaseMigration resources as an informer tells them, and the one way their statuses are written.
//
// Of an object only what the operator uses is kept (cached_resource.hpp). A change that matters (generation, labels,
// annotations, a new object) wakes the resource; our own status coming back does not. A spec that cannot be read (a CRD older
// or newer than the operator) is kept with its error, which the status tells.
//
// A status is written as one value by one writer (docs/adr/0014): an update of the status subresource, so what is no longer
// said goes away, and nothing else is touched. Uid and version are conditions of every write: a status that was written for an
// older object (the resource was deleted and created again meanwhile) is dropped, and one that met a newer version is written
// onto that.
//
// Claims: of two resources that manage the same version table the older has it (creationTimestamp, then key), and the younger
// gets it when the older is gone. Which table that is, the server says (Observation::identity), and it says something else
// after a restart. So whoever was refused for another resource and is told a new identity at an old place stays refused until
// that other one was looked at again: servers that restart, or operators, let nobody in who was kept out before.
//
// Threads: applied() and deleted() come from the informer's thread, everything else from any. Ownership: borrows client and
// clock.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/sha256.hpp"
#include "operator/cluster/cached_resource.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/kube/informer.hpp"
#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

class ClusterStore final : public ResourceStore, public InformerHandler {
 public:
  struct Listener {
    std::function<void(const ResourceKey&)> changed;  // to be reconciled
    std::function<void(const ResourceKey&)> removed;
    std::function<void()> synced;
  };
  // `folder`: what relative paths of resources resolve against.
  ClusterStore(KubeClient& client, Clock& clock, Listener listener, std::string folder, Log log);

  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;
  void synced() override;

  [[nodiscard]] std::optional<DatabaseMigration> find(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<ObjectVersion> mark(const ResourceKey& key) const override;
  void each(const std::function<void(const ResourceKey&, const StatusDigest&)>& look) const override;
  // Nobody, as far as can be said without a look at the database: claim() says.
  [[nodiscard]] std::string claimed_by(const ResourceKey& /*key*/) const override { return {}; }
  [[nodiscard]] std::string lost_to(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<Outcome> refusal(const ResourceKey& key) const override;
  [[nodiscard]] Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) override;

  // Which database a resource has, once it was looked at; answers with the resource that has it, when that is another one.
  // Resources that lose or get a claim by this are woken.
  [[nodiscard]] std::string claim(const DatabaseMigration& resource, const DatabaseLocation& place);

  // Which resources name this ConfigMap, Flux source, ...: "configMaps shop/sql", "GitRepository shop/app".
  [[nodiscard]] std::vector<ResourceKey> naming(const std::string& referent) const;
  [[nodiscard]] std::optional<EventTarget> event_target(const ResourceKey& key) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry;
  using Entries = std::map<ResourceKey, Entry>;
  using Known = std::pair<const ResourceKey, Entry>;  // of entries_, where it stays until it is deleted
  struct ByKey {
    bool operator()(const Known* left, const Known* right) const { return left->first < right->first; }
  };
  using Referents = std::map<std::string, std::set<Known*, ByKey>>;
  struct Refusal {
    ResourceKey owner;
    ShortDigest place{};  // as it was declared then
  };
  // One for each of very many resources: what can be pointed at is not kept twice.
  struct Entry {
    CachedResource resource;
    SteadyTime reported{};  // when the declaration came
    StatusDigest digest;
    WallTime created{};                       // creationTimestamp
    ShortDigest claim{};                      // zeros: it is not known which database it is
    std::unique_ptr<Refusal> refused;         // null: it was not, or that is settled
    std::unique_ptr<const Error> unreadable;  // null: it can be read
    std::vector<Referents::iterator> referents;
    bool suspended = false;
    bool awaited = false;  // somebody stays refused until this one is looked at
  };
  using Woken = std::vector<ResourceKey>;
  // The version it has now; empty when the resource is gone, or is another one by now.
  [[nodiscard]] Result<std::string> replace_status(const ResourceKey& key, const std::string& uid, std::string version,
                                                   const DatabaseMigrationStatus& status);
  bool keep(const ResourceKey& key, Entry entry, const DatabaseMigration& resource, Woken& woken);
  void refer(Known& known, const std::vector<std::string>& referents);
  void unrefer(Known& known);
  void move_claim(Known& known, const ShortDigest& claim);
  // The oldest that is not suspended; null: none.
  [[nodiscard]] const Known* owner_of(const ShortDigest& claim) const;
  [[nodiscard]] static bool is_older(const Known& known, const Known& other);
  static void recall_refusal(Known& known, const DatabaseMigration& resource, const ShortDigest& declared);
  [[nodiscard]] bool stays_refused(Known& known, const ShortDigest& declared, bool moved, Woken& woken);
  void looked_at(Known& known, Woken& woken);
  void wake(const Woken& woken);

  KubeClient& client_;
  Clock& clock_;
  Listener listener_;
  std::string folder_;
  Log log_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::set<std::pair<ShortDigest, const Known*>> claimants_;
  Referents by_referent_;
};

}  // namespace athanor::controller
