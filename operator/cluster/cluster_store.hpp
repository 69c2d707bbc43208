// The store of cluster mode: DatabaseMigrations as the informer delivers them, and the only writer of their statuses.
//
// Of an object only what the operator uses is kept (cached_resource.hpp). A change of generation, labels, annotations or uid
// wakes the resource; our own status coming back does not. A spec that cannot be read (its CRD is older or newer than the
// operator) is kept with its error, which refusal() returns.
//
// A status is written as one value by one writer (docs/adr/0014): an update of the status subresource, which removes fields
// that are no longer set and touches nothing else. Every write is conditional on uid and resourceVersion: a status of an object
// that was deleted and created again is dropped, a conflict is retried on the newer version.
//
// The strictest policy of all resources on a database counts for each of them (reconcile/database_policies.hpp). Which database
// a resource is on is known once it was observed, and from its status after a restart.
//
// Which of two resources with one version table owns it, Claims decides (reconcile/claims.hpp), by what the server calls the
// table.
//
// Threads: applied(), deleted() and synced() come from the informer's thread, everything else from any. The listener is called
// without the store's lock. Ownership: borrows client and clock.
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

#include "operator/cluster/cached_resource.hpp"
#include "operator/kube/event_recorder.hpp"
#include "operator/kube/informer.hpp"
#include "operator/reconcile/claims.hpp"
#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/database_policies.hpp"
#include "operator/reconcile/migration_store.hpp"
#include "operator/reconcile/policy_floor.hpp"

namespace athanor::controller {

class ClusterStore final : public MigrationStore, public InformerHandler {
 public:
  struct Listener {
    std::function<void(const ResourceKey&)> changed;  // to be reconciled
    std::function<void(const ResourceKey&)> removed;  // deleted
    std::function<void()> synced;                     // the first list is complete
  };
  // `folder`: what relative paths of resources resolve against.
  ClusterStore(KubeClient& client, Clock& clock, Listener listener, std::string folder, Log log);

  // Whether this replica may write now; asked before every write. Not set: always. Call it before anything is written.
  void set_fence(std::function<bool()> may_write) { may_write_ = std::move(may_write); }
  // The informer sees only what has these labels: what leaves them is told so, in its last status. Call it before the first
  // event.
  void set_selector(std::string selector) { selector_ = std::move(selector); }

  // The least that every resource of a namespace has to declare: what find() returns is raised to it. Not set: nothing. Call it
  // before the first event.
  void set_floor(std::function<PolicyFloor(const std::string& name_space)> floor) { floor_ = std::move(floor); }

  // How many resources of one namespace are served, the oldest first; 0: any number. Call it before the first event.
  void set_quota(std::size_t resources) { quota_ = resources; }

  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;
  void synced() override;

  [[nodiscard]] std::optional<DatabaseMigration> find(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<ObjectVersion> version(const ResourceKey& key) const override;
  void for_each(const Visit& visit) const override;
  // Always empty: on a cluster only the server's own name of a table counts, see claim().
  [[nodiscard]] std::string claimed_by(const ResourceKey& /*key*/) const override { return {}; }
  [[nodiscard]] std::string lost_to(const ResourceKey& key) const override;
  [[nodiscard]] bool may_act() const override { return !may_write_ || may_write_(); }
  [[nodiscard]] std::optional<Outcome> refusal(const ResourceKey& key) const override;
  [[nodiscard]] Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) override;

  // Writes a status that was made from `read`, unless the object is another one by now: then ApiConflict, and nothing is lost.
  [[nodiscard]] Result<void> write_status_of(const DatabaseMigration& read, const DatabaseMigrationStatus& status);

  // Records which version table `resource` was observed to have; returns the key text of the resource that owns it, empty when
  // that is this one. Resources that win or lose a table by this are woken.
  [[nodiscard]] std::string claim(const DatabaseMigration& resource, const DatabaseLocation& location);

  // Whether `resource` is raised to what the others on its database ask for now.
  [[nodiscard]] bool policy_holds(const DatabaseMigration& resource) const;
  // The floor of a namespace is another one: its resources are reconciled again, and what they ask for others is known.
  void floor_changed(const std::string& name_space);

  // Which resources name this ConfigMap, Flux source, ...: "configMaps shop/sql", "GitRepository shop/app".
  [[nodiscard]] std::vector<ResourceKey> naming(const std::string& referent) const;
  [[nodiscard]] std::vector<ResourceKey> in_namespace(const std::string& name_space) const;
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
  // There are very many of these.
  struct Entry {
    CachedResource resource;
    SteadyTime reported{};  // when the declaration came
    WallTime created{};
    StatusDigest digest;
    ShortDigest database{};                   // zeros: it was never seen
    std::unique_ptr<const Error> unreadable;  // null: it can be read
    std::vector<Referents::iterator> referents;
  };
  using Keys = std::vector<ResourceKey>;
  // The version it has now; empty when the resource is gone, or is another one by now.
  void keep_status(const ResourceKey& key, const std::string& uid, const DatabaseMigrationStatus& status,
                   const std::string& version);
  [[nodiscard]] Result<std::string> replace_status(const ResourceKey& key, const std::string& uid, std::string version,
                                                   const DatabaseMigrationStatus& status);
  bool keep(const ResourceKey& key, Entry entry, const DatabaseMigration& resource, Keys& to_reconcile);
  void refer(Known& known, const std::vector<std::string>& referents);
  void unrefer(Known& known);
  void wake(const Keys& keys);
  // What it asks for, raised to the floor. Of a declaration that cannot be read: approvals.
  [[nodiscard]] DatabaseRule effective_rule(DatabaseMigration resource, bool readable) const;
  // The resources on the same database, where other rules count than before.
  void set_rule(const ResourceKey& key, const ShortDigest& database, DatabaseRule rule, Keys& affected);
  void add_neighbours(const ResourceKey& key, const ShortDigest& database, Keys& affected) const;
  void tell_unselected(const ResourceKey& key, const DatabaseMigration& resource);
  [[nodiscard]] Result<void> check_fence() const;
  [[nodiscard]] bool is_beyond_quota(const ResourceKey& key) const;

  KubeClient& client_;
  Clock& clock_;
  Listener listener_;
  std::string folder_;
  Log log_;
  std::function<bool()> may_write_;
  std::string selector_;
  std::size_t quota_ = 0;
  std::map<std::string, std::size_t> in_namespace_;  // how many there are
  std::function<PolicyFloor(const std::string&)> floor_;
  mutable std::mutex mutex_;
  Entries entries_;
  Claims claims_;
  DatabasePolicies policies_;
  Referents by_referent_;
};

}  // namespace athanor::controller
