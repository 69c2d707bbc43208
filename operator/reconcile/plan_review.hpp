// A plan before its execution, with everything that reviewers, the preflight checks and the status need to know about it.
//
// Threads: plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/lint/lint_summary.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/gate.hpp"

namespace athanor::controller {

struct PlanReview {
  std::shared_ptr<const Plan> plan;      // never null
  std::string approval_hash;             // the hash that an approval of this plan names (approved_plan.hpp)
  std::string covering_hash;             // the approval hash of a longer, already approved plan of which this one is the rest
  std::vector<std::string> destructive;  // statements that lose data
  std::optional<LintSummary> lint;       // if policy.lint is set
  bool lint_is_new = false;              // the status has other findings
  std::optional<RehearsalStatus> rehearsal;  // if policy.rehearsal asks for one
  std::optional<Approval> approval;          // the last required approval; nullopt: some are missing, or none is required
  ApprovalTally tally;                       // if the policy requires approvals
  std::optional<std::string> sql_sha256;     // of its published text; nullopt: not published
  std::optional<BackupStatus> backup;        // taken for this plan, or accepted
  bool backup_accepted = false;              // it existed already
  std::optional<Error> backup_error;         // no backup could be taken, and the policy does not require one

  // Returns the hash that an approval must name for this plan to run.
  [[nodiscard]] const std::string& approvable() const { return covering_hash.empty() ? approval_hash : covering_hash; }
};

}  // namespace athanor::controller
