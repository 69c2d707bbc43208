// The store of cluster mode: holds the DatabaseMigrations that the informer delivers, and is the only writer of their statuses.
//
// It keeps only the parts of an object that the operator uses (cached_resource.hpp). A change of generation, labels,
// annotations or uid queues the resource; the watch event caused by our own status update does not. A spec that cannot be read,
// because its CRD is older or newer than the operator, is kept with its error, which refusal() returns.
//
// One writer writes each status as a whole (docs/adr/0014): an update of the status subresource removes fields that are no
// longer set and touches nothing else. Every write is conditional on uid and resourceVersion: the status of an object that was
// deleted and recreated is dropped, and a conflict is retried with the newer version.
//
// The strictest policy among the resources of a database applies to each of them (reconcile/database_policies.hpp). A
// resource's database is known once it was observed; after a restart, from its status.
//
// When two resources use the same version table, Claims decides which one owns it (reconcile/claims.hpp), based on the server's
// own name of the table.
//
// Threads: applied(), deleted() and synced() are called from the informer's thread, the other methods from any. The listener is
// called without the store's lock. Ownership: borrows client and clock.
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
    std::function<void(const ResourceKey&)> changed;  // must be reconciled
    std::function<void(const ResourceKey&)> removed;  // deleted
    std::function<void()> synced;                     // the first list is complete
  };
  // `folder`: the base of relative paths in resources.
  ClusterStore(KubeClient& client, Clock& clock, Listener listener, std::string folder, Log log);

  // Sets the check whether this replica may write now; called before every write. Not set: always. Call it before the first
  // write.
  void set_fence(std::function<bool()> may_write) { may_write_ = std::move(may_write); }
  // Sets the label selector of the informer. A resource that loses these labels gets a last status that says so. Call it before
  // the first event.
  void set_selector(std::string selector) { selector_ = std::move(selector); }

  // Sets the minimum policies of each namespace; find() returns resources raised to them. Not set: none. Call it before the
  // first event.
  void set_floor(std::function<PolicyFloor(const std::string& name_space)> floor) { floor_ = std::move(floor); }

  // Sets how many resources of one namespace are served, the oldest first; 0: no limit. Call it before the first event.
  void set_quota(std::size_t resources) { quota_ = resources; }

  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;
  void synced() override;

  // Forgets a resource that the operator no longer serves although it still exists, and writes its last status. `why` is the
  // beginning of the status's message: "the labels of ... do not match ...".
  void leave(const ResourceKey& key, const std::string& why);

  [[nodiscard]] std::optional<DatabaseMigration> find(const ResourceKey& key) const override;
  [[nodiscard]] std::optional<ObjectVersion> version(const ResourceKey& key) const override;
  void for_each(const Visit& visit) const override;
  // Always empty: on a cluster only the server's own name of a table decides, see claim().
  [[nodiscard]] std::string claimed_by(const ResourceKey& /*key*/) const override { return {}; }
  [[nodiscard]] std::string lost_to(const ResourceKey& key) const override;
  [[nodiscard]] bool may_act() const override { return !may_write_ || may_write_(); }
  [[nodiscard]] std::optional<Outcome> refusal(const ResourceKey& key) const override;
  [[nodiscard]] Result<void> write_status(const ResourceKey& key, const DatabaseMigrationStatus& status) override;

  // Writes a status that was computed from `read`. Error: ApiConflict when the object has changed since; then drop the status.
  [[nodiscard]] Result<void> write_status_of(const DatabaseMigration& read, const DatabaseMigrationStatus& status);

  // Records which version table `resource` was observed to use. Returns the key text of the resource that owns the table; empty
  // when it is this one. Queues the resources that win or lose a table by this.
  [[nodiscard]] std::string claim(const DatabaseMigration& resource, const DatabaseLocation& location);

  // Whether `resource` still meets the policies of the other resources on its database.
  [[nodiscard]] bool policy_holds(const DatabaseMigration& resource) const;
  // Call it when the floor of a namespace has changed: queues its resources, and the others on their databases where needed.
  void floor_changed(const std::string& name_space);

  // Returns the resources that refer to an object: "ConfigMap shop/sql", "GitRepository shop/app".
  [[nodiscard]] std::vector<ResourceKey> naming(const std::string& referent) const;
  // Returns the resources of a namespace.
  [[nodiscard]] std::vector<ResourceKey> in_namespace(const std::string& name_space) const;
  // Returns what an Event about the resource refers to; nullopt when it is gone.
  [[nodiscard]] std::optional<EventTarget> event_target(const ResourceKey& key) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry;
  using Entries = std::map<ResourceKey, Entry>;
  using Known = std::pair<const ResourceKey, Entry>;  // a node of entries_; its address is stable until it is deleted
  struct ByKey {
    bool operator()(const Known* left, const Known* right) const { return left->first < right->first; }
  };
  using Referents = std::map<std::string, std::set<Known*, ByKey>>;
  // Keep it small: there may be ten thousand.
  struct Entry {
    CachedResource resource;
    SteadyTime reported{};  // when the current declaration arrived
    WallTime created{};
    StatusDigest digest;
    ShortDigest database{};                   // zeros: not observed yet
    std::unique_ptr<const Error> unreadable;  // null: the spec is readable
    std::vector<Referents::iterator> referents;
  };
  using Keys = std::vector<ResourceKey>;
  // keep_status() stores a written status and its version. replace_status() returns that version; empty when the resource is
  // gone or was recreated.
  void keep_status(const ResourceKey& key, const std::string& uid, const DatabaseMigrationStatus& status,
                   const std::string& version);
  [[nodiscard]] Result<std::string> replace_status(const ResourceKey& key, const std::string& uid, std::string version,
                                                   const DatabaseMigrationStatus& status);
  bool keep(const ResourceKey& key, Entry entry, const DatabaseMigration& resource, Keys& to_reconcile);
  void refer(Known& known, const std::vector<std::string>& referents);
  void unrefer(Known& known);
  void wake(const Keys& keys);
  // Returns the policies of the resource, raised to the floor. An unreadable declaration requires approvals.
  [[nodiscard]] DatabaseRule effective_rule(DatabaseMigration resource, bool readable) const;
  // Sets the policies that a resource demands, and adds to `affected` the others on its database when that changes their
  // effective policies.
  void set_rule(const ResourceKey& key, const ShortDigest& database, DatabaseRule rule, Keys& affected);
  void add_neighbours(const ResourceKey& key, const ShortDigest& database, Keys& affected) const;
  // The digest of the database at a location: with the system identifier, if any resource's user on that server can see it.
  ShortDigest database_at(const ResourceKey& key, const DatabaseLocation& location, Keys& affected);
  void move_to(Known& known, const ShortDigest& database, Keys& affected);
  // Forgets a resource. Returns it as it was last seen; nullopt when it is not known.
  std::optional<DatabaseMigration> forget(const ResourceKey& key);
  void report_unselected(const ResourceKey& key, const DatabaseMigration& resource, const std::string& why);
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
  std::map<ShortDigest, ShortDigest> systems_;       // running_database_id() to database_id(), as users see it who may
  std::map<ResourceKey, ShortDigest> unsure_;        // running_database_id() of resources whose user sees no system identifier
  std::map<std::string, std::size_t> in_namespace_;  // number of resources
  std::function<PolicyFloor(const std::string&)> floor_;
  mutable std::mutex mutex_;
  Entries entries_;
  Claims claims_;
  DatabasePolicies policies_;
  Referents by_referent_;
};

}  // namespace athanor::controller
