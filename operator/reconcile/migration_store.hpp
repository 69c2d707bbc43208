// The store of DatabaseMigrations: a ResourceStore that also knows who owns a version table and what series say of a status.
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

// What metrics say of a resource: little enough to keep for each of very many.
struct StatusDigest {
  bool observed = false;  // it was reconciled at least once
  bool ready = false;
  bool stalled = false;
  std::optional<Reason> waiting;        // why the condition Reconciling is True; empty: it is not
  std::string current;                  // revision, in one word
  std::string target;                   // as declared
  std::optional<std::int64_t> pending;  // empty: not known
  std::int64_t backup_begun = 0;        // seconds since the epoch; 0: there is no backup
  std::int64_t backup_bytes = 0;
  std::optional<bool> drifted{};  // empty: not looked at, or not known
};
[[nodiscard]] StatusDigest digest_of(const DatabaseMigrationStatus& status);

class MigrationStore : public ResourceStore<DatabaseMigration> {
 public:
  using Visit = std::function<void(const ResourceKey&, const StatusDigest&)>;

  // Visits every resource that can be reconciled, in the order of their keys, under the store's lock: `visit` must not call the
  // store.
  virtual void for_each(const Visit& visit) const = 0;
  // "namespace/name" of the resource that owns the version table this one declares; empty: itself, or it takes a connection to
  // find out.
  [[nodiscard]] virtual std::string claimed_by(const ResourceKey& key) const = 0;
  // The same by everything that was observed so far.
  [[nodiscard]] virtual std::string lost_to(const ResourceKey& key) const { return claimed_by(key); }
  // Whether this operator may go on: false when another one may have taken over.
  [[nodiscard]] virtual bool may_act() const { return true; }
  // The outcome of a resource whose declaration cannot be read; empty when it can be reconciled.
  [[nodiscard]] virtual std::optional<Outcome> refusal(const ResourceKey& /*key*/) const { return std::nullopt; }
};

}  // namespace athanor::controller
