#include "operator/reconcile/gate.hpp"

#include <algorithm>

#include "operator/api/cron_schedule.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kShownHash = 12;

// A downgrade removes what was built since, whatever its statements look like.
bool may_lose_something(const Plan& plan, const std::vector<std::string>& destructive) {
  return !destructive.empty() || plan.operation == Direction::Downgrade;
}

// The newest approval, which the user probably expects to count.
std::string ignored_approval(const Plan& plan, const std::vector<Approval>& approvals) {
  if (approvals.empty()) {
    return {};
  }
  const Approval& newest = approvals.back();
  if (newest.plan_hash == plan.hash) {
    return "; " + newest.name + " names status.plan.contentHash, which says what is done but not where, and is ignored";
  }
  return "; " + newest.name + " approves " + newest.plan_hash.substr(0, kShownHash) +
         ", which is no longer the plan of this resource in this place, and is ignored";
}

std::string how_to_approve(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                           const std::vector<std::string>& destructive, const std::vector<Approval>& approvals) {
  std::string message = "plan " + hash.substr(0, kShownHash);
  message += plan.operation == Direction::Downgrade ? ", a downgrade," : "";
  message += destructive.empty() ? "" : ", which destroys something (" + destructive.front() + "),";
  message += " waits for a MigrationApproval of " + resource.metadata.name + " with planHash " + hash;
  return message + ignored_approval(plan, approvals);
}

struct Opening {
  bool open = false;
  std::optional<WallTime> next;
};

Result<Opening> judge(const MaintenanceWindow& window, WallTime now) {
  TRY_ASSIGN(const auto zone, TimeZone::load(window.time_zone));
  TRY_ASSIGN(const auto schedule, CronSchedule::parse(window.schedule));
  Opening opening;
  if (const auto last = schedule.last(now, window.duration, zone)) {
    opening.open = now < *last + window.duration;
  }
  if (!opening.open) {
    opening.next = schedule.next(now, zone);
  }
  return opening;
}

}  // namespace

GateVerdict judge_windows(const std::vector<MaintenanceWindow>& windows, WallTime now) {
  GateVerdict verdict;
  verdict.open = windows.empty();
  verdict.reason = Reason::OutsideWindow;
  std::optional<WallTime> next;
  for (const auto& window : windows) {
    const auto opening = judge(window, now);
    if (!opening) {
      verdict.reason = Reason::InvalidManifest;
      verdict.error = opening.error();
      verdict.message = "a maintenance window cannot be judged: " + opening.error().describe();
      return verdict;
    }
    if (opening->open) {
      verdict.open = true;
      return verdict;
    }
    if (opening->next && (!next || *opening->next < *next)) {
      next = opening->next;
    }
  }
  if (verdict.open) {
    return verdict;
  }
  if (!next) {
    verdict.message = "no maintenance window opens within five years";
    return verdict;
  }
  verdict.message = "waiting for the maintenance window that opens at " + format_iso8601(*next);
  verdict.requeue_after = std::chrono::ceil<milliseconds>(*next - now);
  return verdict;
}

bool needs_approval(ApprovalPolicy policy, const Plan& plan, const std::vector<std::string>& destructive) {
  return policy == ApprovalPolicy::Always || (policy == ApprovalPolicy::Destructive && may_lose_something(plan, destructive));
}

std::optional<Approval> approval_of(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                                    const std::vector<std::string>& destructive, const std::vector<Approval>& approvals) {
  if (!needs_approval(resource.spec.policy.approval, plan, destructive)) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(approvals, hash, &Approval::plan_hash);
  return found == approvals.end() ? std::nullopt : std::optional(*found);
}

bool needs_backup(const BackupSpec& backup, const Plan& plan, const std::vector<std::string>& destructive) {
  return backup.when == BackupWhen::Always || (backup.when == BackupWhen::Destructive && may_lose_something(plan, destructive));
}

GateVerdict pass_gate(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                      const std::vector<std::string>& destructive, const std::vector<Approval>& approvals, WallTime now) {
  auto given = approval_of(resource, plan, hash, destructive, approvals);
  if (!given && needs_approval(resource.spec.policy.approval, plan, destructive)) {
    GateVerdict closed;
    closed.reason = Reason::ApprovalRequired;
    closed.message = how_to_approve(resource, plan, hash, destructive, approvals);
    return closed;
  }
  GateVerdict verdict = judge_windows(resource.spec.execution.windows, now);
  verdict.approval = std::move(given);
  return verdict;
}

}  // namespace athanor::controller
