#include "operator/reconcile/drift_watch.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::size_t kNamedChanges = 5;
constexpr milliseconds kSecond{1'000};

std::string named_changes(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t index = 0; index < std::min(lines.size(), kNamedChanges); ++index) {
    text += (index == 0 ? "" : "; ") + lines[index];
  }
  return text + (lines.size() > kNamedChanges ? "; and " + std::to_string(lines.size() - kNamedChanges) + " more" : "");
}

// "Nothing has changed" is news only after a change.
bool differs_from_status(const DatabaseMigrationStatus& status, const DriftSeen& seen) {
  const Condition* const before = find_condition(status.conditions, ConditionType::Drifted);
  if (seen.drifted == ConditionStatus::False) {
    return before != nullptr && before->status == ConditionStatus::True;
  }
  return before == nullptr || before->reason != seen.reason ||
         (seen.drifted == ConditionStatus::True && before->message != seen.message);
}

}  // namespace

DriftSeen drift_seen(const Result<DriftCheck>& check) {
  DriftSeen seen;
  if (!check) {
    seen.reason = Reason::DriftCheckFailed;
    seen.message = "cannot compare the schema with the one that the last run left: " + check.error().describe();
    seen.error = check.error();
    return seen;
  }
  switch (check->state) {
    case DriftCheck::State::Same:
      seen.drifted = ConditionStatus::False;
      seen.reason = Reason::SchemaUnchanged;
      seen.message = "nothing has changed since " + check->since();
      return seen;
    case DriftCheck::State::Changed:
      seen.drifted = ConditionStatus::True;
      seen.reason = Reason::SchemaChanged;
      seen.message = "changed since " + check->since() + ": " + named_changes(check->lines);
      return seen;
    case DriftCheck::State::Unknown:
      break;
  }
  seen.reason = Reason::CatalogNotRecorded;
  seen.message = check->unknown + "; the next run records one, and so does `athanor drift --accept`";
  return seen;
}

std::optional<DriftSeen> check_for_drift(const ReconcileContext& context, DatabaseAccess& access, DriftCheckTime when) {
  if (context.resource.spec.policy.drift == DriftPolicy::Ignore) {
    return std::nullopt;
  }
  ReconcileMemory& memory = context.memory;
  // A changed spec makes the check due: it may have turned the policy on or named another database.
  const bool due = memory.drift_generation != context.resource.metadata.generation ||
                   next_drift_check(context).value_or(kSecond) <= milliseconds(0);
  if (when == DriftCheckTime::WhenDue && !due) {
    return std::nullopt;
  }
  memory.drift_generation = context.resource.metadata.generation;
  memory.drift_checked = context.parts.clock.steady_now();
  DriftSeen seen = drift_seen(access.check_drift());
  seen.changed = differs_from_status(context.resource.status, seen);
  if (seen.changed) {
    context.log.info("drift checked", {{"reason", reason_name(seen.reason)}, {"message", seen.message}});
  }
  return seen;
}

std::optional<Verdict> held_by_drift(const DatabaseMigration& resource, const Observed& observed) {
  if (resource.spec.policy.drift != DriftPolicy::Block || !observed.drift) {
    return std::nullopt;
  }
  const DriftSeen& seen = *observed.drift;
  if (seen.error) {
    // Fail closed: while the schema cannot be compared, it may have drifted.
    Verdict verdict = verdict_of(*seen.error);
    if (verdict.kind != Verdict::Kind::Waiting) {
      verdict.reason = seen.reason;
    }
    verdict.message = "the plan cannot run because policy.drift is Block: " + seen.message;
    return verdict;
  }
  if (seen.drifted != ConditionStatus::True) {
    return std::nullopt;
  }
  Verdict verdict = verdict_of(
      Error(ErrorCode::Drifted, "the plan cannot run because policy.drift is Block and the schema was " + seen.message)
          .advise("undo the change, accept it with `athanor drift --accept`, or set policy.drift to Report"));
  verdict.kind = Verdict::Kind::Stalled;
  verdict.message += "; " + verdict.error->hint;
  verdict.reason = Reason::SchemaChanged;
  return verdict;
}

std::optional<milliseconds> next_drift_check(const ReconcileContext& context) {
  const PolicySpec& policy = context.resource.spec.policy;
  if (policy.drift == DriftPolicy::Ignore) {
    return std::nullopt;
  }
  const auto passed = std::chrono::duration_cast<milliseconds>(context.parts.clock.steady_now() - context.memory.drift_checked);
  return std::max(policy.drift_interval - passed, milliseconds(0));
}

}  // namespace athanor::controller
