// Decides what an approval covers: a plan, on one database, for one resource; and the rest of an approved plan whose run was
// interrupted.
//
// The hash of a plan identifies what is done and from which revision, but not on which database: the same files give the same
// plan for every database at the same revision, and anyone who may edit a resource could redirect an approved plan. So an
// approval names a hash of the plan's hash, the database and the resource's uid. The database is described by what survives a
// restart: the URL without user and password, which may be rotated; the system identifier, database and version table as the
// server reports them; schema and role.
//
// An interrupted run leaves a shorter plan with another hash. The approval of the whole plan covers it if the ledger names the
// plan that applied the newest revisions, planning again from the current files gives a plan with the same hash, and that plan
// ends with exactly the remaining revisions.
//
// Threads: pure functions, apart from the snapshot's cache of plans.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "operator/reconcile/database_access.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

using ConnectionKeywords = std::vector<std::pair<std::string, std::string>>;

// Describes the database that plans of this resource run on, as text without secrets. `keywords`: libpq's keywords of the URL.
[[nodiscard]] std::string approval_scope(const DatabaseMigration& resource, const DatabaseLocation& location,
                                         const ConnectionKeywords& keywords);
// Returns status.plan.approvalHash, which a MigrationApproval names: 64 hexadecimal digits.
[[nodiscard]] std::string approval_hash(const std::string& plan_hash, const std::string& scope);

// Returns the hashes of the started plans of which exactly `rest` is left, the most recently started first. `ledger`: newest
// entry first.
[[nodiscard]] std::vector<std::string> begun_plans(SourceSnapshot& snapshot, const Plan& rest,
                                                   const std::vector<Migrator::HistoryEntry>& ledger);

}  // namespace athanor::controller
