// The gate between a plan and its execution: is it approved where the policy asks for approval, and is a window open?
//
// An approval counts for one hash (approved_plan.hpp). One that names another hash is stale: it never counts, and the message
// mentions it, because somebody is waiting for it to work. Maintenance windows open by cron schedules; a run that began in a
// window may end after it.
//
// Threads: pure function.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// A MigrationApproval of this resource.
struct Approval {
  std::string name;
  std::string plan_hash;
  std::string approved_by;
  std::string approved_at;
  bool operator==(const Approval&) const = default;
};

class ApprovalSource {
 public:
  virtual ~ApprovalSource() = default;
  // Oldest first.
  [[nodiscard]] virtual std::vector<Approval> approvals(const ResourceKey& key) const = 0;
};

struct GateVerdict {
  bool open = false;
  Reason reason = Reason::Applying;
  std::string message;                        // why it is closed
  std::optional<Approval> approval;           // the one that opened it
  std::optional<milliseconds> requeue_after;  // when time alone opens it
  std::optional<Error> error;                 // of a window that cannot be evaluated
};

// `hash`: what an approval of the plan names.
[[nodiscard]] GateVerdict pass_gate(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                                    const std::vector<std::string>& destructive, const std::vector<Approval>& approvals,
                                    WallTime now);

// Whether a run may begin now, as far as the maintenance windows are concerned.
[[nodiscard]] GateVerdict judge_windows(const std::vector<MaintenanceWindow>& windows, WallTime now);

// Whether the policy requires an approval of this plan.
[[nodiscard]] bool needs_approval(ApprovalPolicy policy, const Plan& plan, const std::vector<std::string>& destructive);
// The approval of this plan; empty: there is none, or the policy asks for none.
[[nodiscard]] std::optional<Approval> approval_of(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                                                  const std::vector<std::string>& destructive,
                                                  const std::vector<Approval>& approvals);
// Whether the policy asks for a backup before this plan.
[[nodiscard]] bool needs_backup(const BackupSpec& backup, const Plan& plan, const std::vector<std::string>& destructive);

}  // namespace athanor::controller
