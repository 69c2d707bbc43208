#include "operator/reconcile/plan_lint.hpp"

#include <utility>

#include "migrations/base/utf8.hpp"
#include "migrations/lint/linter.hpp"
#include "operator/api/status_limits.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMostOfFinding = 500;  // bytes: a condition's message has 1 KiB, and its end says what to do

// The rule in "a2.sql:7: error drop-column: what happens".
std::string rule_in(const std::string& finding) {
  constexpr std::string_view kLevel = ": error ";
  const std::size_t at = finding.find(kLevel);
  if (at == std::string::npos) {
    return "RULE";
  }
  const std::size_t begin = at + kLevel.size();
  return finding.substr(begin, finding.find(':', begin) - begin);
}

}  // namespace

LintSummary lint_plan(const DatabaseMigration& resource, const Plan& plan, const LiveDatabase& live,
                      const SourceSnapshot& snapshot, const StopToken& stop) {
  LintContext context;
  context.settings = *resource.spec.policy.lint;
  context.postgres = live.postgres;
  context.session_lock_timeout = resource.spec.execution.lock_timeout.count() > 0;
  context.stop = stop;
  return summarise_findings(lint(plan, context, live.facts), kMaxListed, [&](const Finding& finding) {
    const std::string place = snapshot.place_of(finding.path);
    const std::string line = std::to_string(finding.line);
    // "key a2.sql of ConfigMap shop/orders" is no path.
    return place.find(' ') == std::string::npos ? place + ":" + line : "line " + line + " of " + place;
  });
}

Result<std::optional<LintSummary>> lint_if_required(const ReconcileContext& context, const Plan& plan,
                                                    const SourceSnapshot& snapshot, DatabaseAccess& access) {
  // A stamp runs nothing of the files.
  if (!context.resource.spec.policy.lint || plan.operation == Direction::Stamp) {
    return std::nullopt;
  }
  TRY_ASSIGN(const LiveDatabase live, access.live_database());
  LintSummary summary = lint_plan(context.resource, plan, live, snapshot, context.stop);
  if (context.stop.requested()) {  // what was found is not all
    return fail(ErrorCode::Interrupted, "the operator is stopping");
  }
  return std::optional(std::move(summary));
}

std::optional<Verdict> held_by_lint(const DatabaseMigration& resource, const PlanReview& review) {
  if (!resource.spec.policy.lint || review.plan->operation == Direction::Stamp) {
    return std::nullopt;
  }
  if (review.lint && review.lint->errors == 0) {
    return std::nullopt;
  }
  std::string message = "the plan cannot run because ";
  std::string hint;
  if (!review.lint) {
    message += "policy.lint is set and plan " + review.approval_hash.substr(0, kShownHash) + " was not linted";
    hint = "use a Job image of the operator's version";
  } else {
    const std::string first = review.lint->findings.empty() ? std::string() : review.lint->findings.front();
    message += "lint found " + review.lint->sentence() + " in plan " + review.approval_hash.substr(0, kShownHash) + ": " +
               (first.size() > kMostOfFinding ? std::string(cut_at_character(first, kMostOfFinding)) + "..." : first) +
               (review.lint->errors > 1 ? "; and " + std::to_string(review.lint->errors - 1) + " more at level error" : "");
    const std::string rule = rule_in(first);
    hint = "change the revision, write `-- athanor:allow " + rule +
           " reason` above the statement, or lower the level in policy.lint.levels";
  }
  Verdict verdict = verdict_of(Error(ErrorCode::LintFindings, std::move(message)).advise(std::move(hint)));
  verdict.kind = Verdict::Kind::Stalled;
  verdict.message += "; " + verdict.error->hint;
  return verdict;
}

bool shows_lint(const DatabaseMigrationStatus& status, const PlanReview& review) {
  return status.plan && status.plan->hash == review.approval_hash && status.plan->lint.has_value() == review.lint.has_value() &&
         (!review.lint ||
          (status.plan->lint->errors == review.lint->errors && status.plan->lint->warnings == review.lint->warnings &&
           status.plan->lint->hints == review.lint->hints));
}

}  // namespace athanor::controller
