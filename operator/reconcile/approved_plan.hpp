// What an approval is of: a plan, in one place, for one resource; and what remains of one that was begun.
//
// The hash of a plan says what is done and from where. It does not say where: the same files make the same plan of any database
// that stands at the same revision, and whoever may edit a resource could have an approved plan run somewhere else. So what is
// approved is a hash over the plan's own, the place, and the resource's uid. The place is what outlives a restart: where the
// URL leads without user and password, which may be rotated; the server's system identifier, database and version table, as it
// tells them; schema and role.
//
// A run that was cut short leaves a plan with another hash. It is covered by the approval of the whole one if it is what that
// one leaves: the ledger says which plan the newest revisions were applied by, that plan is made again from the files as they
// are, and it must have the very hash of the ledger, and end with what is to be done now.
//
// Threads: pure functions, but for the snapshot's cache of plans.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

using ConnectionKeywords = std::vector<std::pair<std::string, std::string>>;

// Where plans of this resource run, as a text that has no secret in it. `keywords` are libpq's of the URL.
[[nodiscard]] std::string approval_scope(const DatabaseMigration& resource, const DatabaseLocation& place,
                                         const ConnectionKeywords& keywords);
// What status.plan.hash tells, and a MigrationApproval names: 64 hexadecimal digits.
[[nodiscard]] std::string approval_hash(const std::string& plan_hash, const std::string& scope);

// Hashes of the plans that were begun and of which exactly `rest` remains, the last one begun first. `ledger` is the newest
// first.
[[nodiscard]] std::vector<std::string> begun_plans(SourceSnapshot& snapshot, const Plan& rest,
                                                   const std::vector<Migrator::HistoryEntry>& ledger);

}  // namespace athanor::controller
