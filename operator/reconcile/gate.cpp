#include "operator/reconcile/gate.hpp"

#include <algorithm>

#include "migrations/base/utf8.hpp"
#include "operator/api/cron_schedule.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kShownHash = 12;
constexpr std::size_t kNameInApproval = 200;
constexpr std::size_t kShownStep = 160;

std::string shortened(const std::string& step) {
  return step.size() <= kShownStep ? step : std::string(cut_at_character(step, kShownStep)) + "...";
}

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
  const std::string short_hash = hash.substr(0, kShownHash);
  std::string message = "plan " + short_hash;
  message += plan.operation == Direction::Downgrade ? ", a downgrade," : "";
  if (!destructive.empty()) {
    message += ", which destroys something in " + std::to_string(destructive.size()) +
               (destructive.size() == 1 ? " step (" : " steps (the first: ") + shortened(destructive.front()) + "),";
  }
  message += " waits for an approval" + ignored_approval(plan, approvals);
  const std::string name = resource.metadata.name.substr(0, kNameInApproval) + "-" + short_hash;
  // One line, because conditions and events are shown in one. JSON is YAML.
  return message +
         R"(; to approve it, apply {"apiVersion": "athanor.dev/v1alpha1", "kind": "MigrationApproval", "metadata": {"name": ")" +
         name + R"(", "namespace": ")" + resource.metadata.name_space + R"("}, "spec": {"migration": ")" +
         resource.metadata.name + R"(", "planHash": ")" + hash + R"(", "approvedBy": "YOUR USER NAME"}})";
}

struct Opening {
  bool open = false;
  std::optional<WallTime> next;
  std::string shown;  // `next`, as a clock on the wall of the window's zone shows it
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
    if (opening.next) {
      opening.shown =
          format_iso8601(zone.local(*opening.next)) + (window.time_zone == "UTC" ? "" : " (" + window.time_zone + ")");
    }
  }
  return opening;
}

}  // namespace

GateVerdict judge_windows(const std::vector<MaintenanceWindow>& windows, WallTime now) {
  GateVerdict verdict;
  verdict.open = windows.empty();
  verdict.reason = Reason::OutsideWindow;
  std::optional<WallTime> next;
  std::string shown;
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
      shown = opening->shown;
    }
  }
  if (verdict.open) {
    return verdict;
  }
  if (!next) {
    verdict.reason = Reason::InvalidManifest;
    verdict.error = Error(ErrorCode::Configuration, "no maintenance window opens within five years")
                        .at("spec.execution.windows")
                        .advise("name days that exist: 30 February never comes");
    verdict.message = verdict.error->describe();
    return verdict;
  }
  verdict.message = "waiting for the maintenance window that opens at " + shown;
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
