// The store of DatabaseMigrations: a ResourceStore that also knows the owners of version tables and provides the values for
// metrics.
//
// Threads: safe from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "operator/reconcile/outcome.hpp"
#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

// The values that metrics show of a resource; small, because one is kept per resource.
struct StatusDigest {
  bool observed = false;  // it was reconciled at least once
  bool ready = false;
  bool stalled = false;
  std::optional<Reason> waiting;        // why the condition Reconciling is True; nullopt: it is not
  std::string current;                  // current revisions as one text
  std::string target;                   // as declared
  std::optional<std::int64_t> pending;  // nullopt: unknown
  std::int64_t backup_begun = 0;        // seconds since the epoch; 0: no backup
  std::int64_t backup_bytes = 0;
  std::optional<bool> drifted{};  // nullopt: not checked, or unknown
};
[[nodiscard]] StatusDigest digest_of(const DatabaseMigrationStatus& status);

class MigrationStore : public ResourceStore<DatabaseMigration> {
 public:
  using Visit = std::function<void(const ResourceKey&, const StatusDigest&)>;

  // Visits every resource that can be reconciled, ordered by key, under the store's lock: `visit` must not call the store.
  virtual void for_each(const Visit& visit) const = 0;
  // Returns "namespace/name" of the resource that owns the version table this one declares; empty: this one, or only a
  // connection can tell.
  [[nodiscard]] virtual std::string claimed_by(const ResourceKey& key) const = 0;
  // As claimed_by(), based on everything observed so far.
  [[nodiscard]] virtual std::string lost_to(const ResourceKey& key) const { return claimed_by(key); }
  // Whether this operator may continue; false when another one may have taken over.
  [[nodiscard]] virtual bool may_act() const { return true; }
  // Returns the outcome for a resource that must not be reconciled, for example because its declaration cannot be read; nullopt
  // when it can be.
  [[nodiscard]] virtual std::optional<Outcome> refusal(const ResourceKey& /*key*/) const { return std::nullopt; }
};

}  // namespace athanor::controller
