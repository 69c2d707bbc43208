// A plan on its way to execution, with everything that a reviewer, the preflight checks and the status say about it.
//
// Threads: plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/gate.hpp"

namespace athanor::controller {

struct PlanReview {
  std::shared_ptr<const Plan> plan;       // never null
  std::string approval_hash;              // what an approval of this plan names (approved_plan.hpp)
  std::string covering_hash;              // the same of a longer plan, already approved, of which this one is the rest
  std::vector<std::string> destructive;   // statements that lose data
  std::optional<Approval> approval;       // the last one that was needed; empty: some are missing, or none is needed
  ApprovalTally tally;                    // where the policy asks for approvals
  std::optional<std::string> sql_sha256;  // of its published text; empty: nothing is known of one
  std::optional<BackupStatus> backup;     // taken for this plan, or accepted
  bool backup_accepted = false;           // it was there already
  std::optional<Error> backup_error;      // no backup could be taken, and the policy does not require one

  // The hash that an approval must name for this plan to run.
  [[nodiscard]] const std::string& approvable() const { return covering_hash.empty() ? approval_hash : covering_hash; }
};

}  // namespace athanor::controller
