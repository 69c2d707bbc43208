// The gate between a plan and its execution: is it approved where the policy asks for approval, and is a window open?
//
// An approval counts for one hash (approved_plan.hpp), until it expires, and once for each person. One that names another hash
// is stale: it never counts, and the message mentions it, because somebody is waiting for it to work. A rejection outweighs any
// number of approvals. Maintenance windows open by cron schedules; a run that began in a window may end after it.
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
  bool rejects = false;               // the plan must not run
  std::optional<WallTime> expires{};  // empty: never
  std::string reason{};
  bool operator==(const Approval&) const = default;
};

class ApprovalSource {
 public:
  virtual ~ApprovalSource() = default;
  // Oldest first.
  [[nodiscard]] virtual std::vector<Approval> approvals(const ResourceKey& key) const = 0;
  // Since when the names in approvals are sure to be those of their authors: approvals made before do not count. PolicyRefused:
  // they are not now, so no approval counts.
  [[nodiscard]] virtual Result<WallTime> trusted_since() const { return WallTime{}; }
};

// What the approvals of one plan come to.
struct ApprovalTally {
  std::vector<Approval> counted;       // the oldest of each person, oldest first
  std::optional<Approval> rejection;   // the oldest
  std::optional<Approval> expired;     // the newest that does not count any more
  std::optional<WallTime> changes_at;  // when the next one that counts expires
  std::int64_t required = 1;
  [[nodiscard]] bool passed() const { return !rejection && static_cast<std::int64_t>(counted.size()) >= required; }
};
[[nodiscard]] ApprovalTally count_approvals(const std::vector<Approval>& approvals, const std::string& hash,
                                            std::int64_t required, WallTime now);

struct GateVerdict {
  bool open = false;
  Reason reason = Reason::Applying;
  std::string message;                        // why it is closed
  ApprovalTally tally;                        // where the policy asks for approvals
  std::optional<Approval> approval;           // the one that opened it
  std::optional<milliseconds> requeue_after;  // when time alone opens it
  std::optional<Error> error;                 // of a window that cannot be evaluated
};

// `hash`: what an approval of the plan names. `how_to_read`: where its SQL is, for whoever is to approve it.
[[nodiscard]] GateVerdict pass_gate(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                                    const std::vector<std::string>& destructive, const std::vector<Approval>& approvals,
                                    WallTime now, const std::string& how_to_read = {});

// Whether a run may begin now, as far as the maintenance windows are concerned.
[[nodiscard]] GateVerdict judge_windows(const std::vector<MaintenanceWindow>& windows, WallTime now);
// The same, with the windows of other resources on the database: a run begins when all of them are open.
[[nodiscard]] GateVerdict judge_windows(const DatabaseMigration& resource, WallTime now);

// Whether the policy requires an approval of this plan.
[[nodiscard]] bool needs_approval(ApprovalPolicy policy, const Plan& plan, const std::vector<std::string>& destructive);
// "1 of 2 approvals (ann)".
[[nodiscard]] std::string tally_in_words(const ApprovalTally& tally);
// Whether the policy asks for a backup before this plan.
[[nodiscard]] bool needs_backup(const BackupSpec& backup, const Plan& plan, const std::vector<std::string>& destructive);

}  // namespace athanor::controller
