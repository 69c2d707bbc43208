// The gate between a plan and its execution: is the plan approved, if the policy requires it, and is a maintenance window open?
//
// An approval counts for one hash (approved_plan.hpp), until it expires, and once per person. One for another hash is stale: it
// never counts, but the message mentions it, because its author expects it to work. A rejection outweighs any number of
// approvals. Maintenance windows open by cron schedules; a run that started in a window may end after it.
//
// Threads: pure functions.
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
  bool rejects = false;               // the plan must not run
  std::optional<WallTime> expires{};  // nullopt: never
  std::string reason{};
  bool operator==(const Approval&) const = default;
};

class ApprovalSource {
 public:
  virtual ~ApprovalSource() = default;
  // Returns the approvals of a resource, oldest first.
  [[nodiscard]] virtual std::vector<Approval> approvals(const ResourceKey& key) const = 0;
  // Returns since when the names in approvals are guaranteed to be their authors': earlier approvals do not count. Error:
  // PolicyRefused when they are not guaranteed now, so no approval counts.
  [[nodiscard]] virtual Result<WallTime> trusted_since() const { return WallTime{}; }
};

// The approvals of one plan, counted.
struct ApprovalTally {
  std::vector<Approval> counted;       // the oldest approval of each person, oldest first
  std::optional<Approval> rejection;   // the oldest
  std::optional<Approval> expired;     // the newest that no longer counts
  std::optional<WallTime> changes_at;  // when the next counted approval expires
  std::int64_t required = 1;
  [[nodiscard]] bool passed() const { return !rejection && static_cast<std::int64_t>(counted.size()) >= required; }
};
[[nodiscard]] ApprovalTally count_approvals(const std::vector<Approval>& approvals, const std::string& hash,
                                            std::int64_t required, WallTime now);

struct GateVerdict {
  bool open = false;
  Reason reason = Reason::Applying;
  std::string message;                        // why it is closed
  ApprovalTally tally;                        // if the policy requires approvals
  std::optional<Approval> approval;           // the approval that opened the gate
  std::optional<milliseconds> requeue_after;  // when the gate may change without an event
  std::optional<Error> error;                 // if a window cannot be evaluated
};

// Judges a plan. `hash`: the hash that an approval must name. `how_to_read`: where its SQL can be read, for approvers.
[[nodiscard]] GateVerdict pass_gate(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                                    const std::vector<std::string>& destructive, const std::vector<Approval>& approvals,
                                    WallTime now, const std::string& how_to_read = {});

// Whether a run may start now with regard to maintenance windows.
[[nodiscard]] GateVerdict judge_windows(const std::vector<MaintenanceWindow>& windows, WallTime now);
// As above, including the windows of other resources on the database: all of them must be open.
[[nodiscard]] GateVerdict judge_windows(const DatabaseMigration& resource, WallTime now);

// Whether the policy requires an approval of this plan.
[[nodiscard]] bool needs_approval(ApprovalPolicy policy, const Plan& plan, const std::vector<std::string>& destructive);
// "1 of 2 approvals (ann)".
[[nodiscard]] std::string tally_in_words(const ApprovalTally& tally);
// Whether the policy requires a backup before this plan.
[[nodiscard]] bool needs_backup(const BackupSpec& backup, const Plan& plan, const std::vector<std::string>& destructive);

}  // namespace athanor::controller
