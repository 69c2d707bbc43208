#include "operator/reconcile/gate.hpp"

#include <algorithm>
#include <map>

#include "migrations/base/utf8.hpp"
#include "migrations/text/letter_case.hpp"
#include "operator/api/cron_schedule.hpp"
#include "operator/api/status_limits.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kNameInApproval = 200;
constexpr std::size_t kShownStep = 160;

std::string shortened(const std::string& step) {
  return step.size() <= kShownStep ? step : std::string(cut_at_character(step, kShownStep)) + "...";
}

// A downgrade removes what was built since, regardless of its statements.
bool may_lose_something(const Plan& plan, const std::vector<std::string>& destructive) {
  return !destructive.empty() || plan.operation == Direction::Downgrade;
}

// Describes the newest approval that does not count although its author probably expects it to.
std::string ignored_approval(const Plan& plan, const std::string& hash, const std::vector<Approval>& approvals,
                             const ApprovalTally& tally) {
  const auto newest = std::find_if(approvals.rbegin(), approvals.rend(), [&](const Approval& approval) {
    return !approval.rejects && (approval.plan_hash != hash || approval == tally.expired);
  });
  if (newest == approvals.rend()) {
    return {};
  }
  if (newest->plan_hash == hash) {
    return "; " + newest->name + " expired at " + format_iso8601(*newest->expires) + " and is ignored";
  }
  if (newest->plan_hash == plan.hash) {
    return "; " + newest->name + " names status.plan.contentHash instead of status.plan.approvalHash and is ignored";
  }
  return "; " + newest->name + " approves " + newest->plan_hash.substr(0, kShownHash) +
         ", which is not the current plan of this resource on this database, and is ignored";
}

std::string how_to_approve(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                           const std::vector<std::string>& destructive, const std::vector<Approval>& approvals,
                           const ApprovalTally& tally, const std::string& how_to_read) {
  const std::string short_hash = hash.substr(0, kShownHash);
  std::string message = "plan " + short_hash;
  message += plan.operation == Direction::Downgrade ? ", a downgrade," : "";
  if (!destructive.empty()) {
    message += ", with " + std::to_string(destructive.size()) +
               (destructive.size() == 1 ? " destructive step (" : " destructive steps (the first: ") +
               shortened(destructive.front()) + "),";
  }
  message += tally.required == 1 ? std::string(" waits for an approval")
                                 : " waits for approvals by different people: " + tally_in_words(tally);
  message += ignored_approval(plan, hash, approvals, tally);
  message += how_to_read.empty() ? "" : "; " + how_to_read;
  // Suggest a different name per person: with one name, the second person's create would fail with 409.
  const std::string name = resource.metadata.name.substr(0, kNameInApproval) + "-" + short_hash +
                           (tally.counted.empty() ? "" : "-" + std::to_string(tally.counted.size() + 1));
  // JSON is also YAML, and fits on one line, as conditions and events must.
  return message +
         R"(; to approve it, apply {"apiVersion": "athanor.dev/v1alpha1", "kind": "MigrationApproval", "metadata": {"name": ")" +
         name + R"(", "namespace": ")" + resource.metadata.name_space + R"("}, "spec": {"migration": ")" +
         resource.metadata.name + R"(", "approvalHash": ")" + hash + R"(", "approvedBy": "YOUR USER NAME"}})";
}

std::string why_rejected(const std::string& hash, const Approval& rejection) {
  return "plan " + hash.substr(0, kShownHash) + " was rejected by " + rejection.approved_by + " in " + rejection.name +
         (rejection.reason.empty() ? std::string(", without a reason") : ": " + rejection.reason) +
         "; it does not run until there is another plan";
}

// Many identity providers treat Alice@example.org and alice@example.org as one person, and return either spelling.
std::string person_of(std::string_view name) {
  return lowered(name);
}

struct Opening {
  bool open = false;
  std::optional<WallTime> next;
  std::string shown;  // `next` in the window's time zone
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
      verdict.message = "invalid maintenance window: " + opening.error().describe();
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
                        .advise("correct the schedule; 30 February, for example, does not exist");
    verdict.message = verdict.error->describe();
    return verdict;
  }
  verdict.message = "waiting for the maintenance window that opens at " + shown;
  verdict.requeue_after = std::chrono::ceil<milliseconds>(*next - now);
  return verdict;
}

GateVerdict judge_windows(const DatabaseMigration& resource, WallTime now) {
  if (resource.too_many_windows) {
    GateVerdict closed;
    closed.reason = Reason::InvalidManifest;
    closed.error =
        Error(ErrorCode::Configuration, "the resources on this database declare too many different maintenance windows")
            .at("spec.execution.windows")
            .advise("declare the same windows in all of them");
    closed.message = closed.error->describe();
    return closed;
  }
  GateVerdict verdict = judge_windows(resource.spec.execution.windows, now);
  for (const auto& others : resource.other_windows) {
    if (!verdict.open) {
      break;
    }
    verdict = judge_windows(others.windows, now);
    if (!verdict.open) {
      verdict.message += " (declared by " + others.of + " on the same database)";
    }
  }
  return verdict;
}

bool needs_approval(ApprovalPolicy policy, const Plan& plan, const std::vector<std::string>& destructive) {
  return policy == ApprovalPolicy::Always || (policy == ApprovalPolicy::Destructive && may_lose_something(plan, destructive));
}

ApprovalTally count_approvals(const std::vector<Approval>& approvals, const std::string& hash, std::int64_t required,
                              WallTime now) {
  ApprovalTally tally;
  tally.required = std::max<std::int64_t>(required, 1);
  std::map<std::string, std::optional<WallTime>> until;  // by person: when their last approval expires
  for (const auto& approval : approvals) {
    if (approval.plan_hash != hash) {
      continue;
    }
    if (approval.rejects) {  // valid as long as it exists
      tally.rejection = tally.rejection ? tally.rejection : std::optional(approval);
      continue;
    }
    if (approval.expires && *approval.expires <= now) {
      tally.expired = approval;
      continue;
    }
    // Count people, not objects: a second approval by the same person only extends the first.
    const auto [known, is_new] = until.try_emplace(person_of(approval.approved_by), approval.expires);
    if (is_new) {
      tally.counted.push_back(approval);
    } else if (known->second) {
      known->second = approval.expires ? std::optional(std::max(*known->second, *approval.expires)) : std::nullopt;
    }
  }
  for (const auto& [person, expires] : until) {
    if (expires && (!tally.changes_at || *expires < *tally.changes_at)) {
      tally.changes_at = expires;
    }
  }
  return tally;
}

std::string tally_in_words(const ApprovalTally& tally) {
  std::string words = std::to_string(tally.counted.size()) + " of " + std::to_string(tally.required);
  for (const auto& approval : tally.counted) {
    words += (&approval == &tally.counted.front() ? " (" : ", ") + approval.approved_by;
  }
  return words + (tally.counted.empty() ? "" : ")");
}

bool needs_backup(const BackupSpec& backup, const Plan& plan, const std::vector<std::string>& destructive) {
  return backup.when == BackupWhen::Always || (backup.when == BackupWhen::Destructive && may_lose_something(plan, destructive));
}

GateVerdict pass_gate(const DatabaseMigration& resource, const Plan& plan, const std::string& hash,
                      const std::vector<std::string>& destructive, const std::vector<Approval>& approvals, WallTime now,
                      const std::string& how_to_read) {
  if (!needs_approval(resource.spec.policy.approval, plan, destructive)) {
    return judge_windows(resource, now);
  }
  ApprovalTally tally = count_approvals(approvals, hash, resource.spec.policy.approvals, now);
  GateVerdict verdict;
  // A rejection outweighs any number of approvals, also ones given later.
  if (tally.rejection) {
    verdict.reason = Reason::PlanRejected;
    verdict.message = why_rejected(hash, *tally.rejection);
  } else if (!tally.passed()) {
    verdict.reason = Reason::ApprovalRequired;
    verdict.message = how_to_approve(resource, plan, hash, destructive, approvals, tally, how_to_read);
  } else {
    verdict = judge_windows(resource, now);
    // The approval that completed the required number; further ones do not change it.
    verdict.approval = tally.counted.at(static_cast<std::size_t>(tally.required) - 1);
  }
  // No event reports that an approval expires while waiting for a window or for more approvals, so requeue for it.
  if (!verdict.open && tally.changes_at && verdict.reason != Reason::PlanRejected) {
    const auto expiry = std::chrono::ceil<milliseconds>(*tally.changes_at - now);
    verdict.requeue_after = std::min(verdict.requeue_after.value_or(expiry), expiry);
  }
  verdict.tally = std::move(tally);
  return verdict;
}

}  // namespace athanor::controller
