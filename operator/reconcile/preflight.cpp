#include "operator/reconcile/preflight.hpp"
#include "operator/api/status_limits.hpp"
#include "operator/reconcile/direction_cooldown.hpp"
#include "operator/reconcile/drift_watch.hpp"
#include "operator/reconcile/plan_lint.hpp"
#include "operator/reconcile/plan_rehearsal.hpp"

#include <algorithm>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kAskPolicyAgain{30};

// Publishes the SQL of a plan that waits for approval and returns where to read it. Notes its digest in the review.
std::string publish_text(const ReconcileContext& context, PlanReview& review) {
  if (context.resource.spec.source.image) {  // only the pod can read the statements
    return "its SQL is in the log of the planning Job";
  }
  if (context.parts.plan_texts == nullptr) {
    return {};
  }
  const auto published = context.parts.plan_texts->publish(context.resource, *review.plan, review.approvable());
  if (!published) {
    context.log.warn("failed to publish the SQL of a plan", error_fields(published.error()));
    return "its SQL cannot be published: " + published.error().describe();
  }
  review.sql_sha256 = published->sha256;
  return "its SQL: " + published->command;
}

GateVerdict judge_gate(const ReconcileContext& context, const PlanReview& review, const std::string& how_to_read = {}) {
  ConsultedApprovals consulted;
  if (needs_approval(context.resource.spec.policy.approval, *review.plan, review.destructive)) {
    consulted = consult_approvals(context);
  }
  const std::string& hash = review.approvable();
  for (auto& approval : consulted.approvals) {  // rejecting the rest also rejects the remainder of the whole plan
    if (approval.rejects && approval.plan_hash == review.approval_hash) {
      approval.plan_hash = hash;
    }
  }
  GateVerdict gate = pass_gate(context.resource, *review.plan, hash, review.destructive, consulted.approvals,
                               context.parts.clock.wall_now(), how_to_read);
  if (gate.open || gate.reason != Reason::ApprovalRequired) {
    return gate;
  }
  if (consulted.untrusted) {
    gate.reason = Reason::ApprovalsUntrusted;
    gate.message = "plan " + hash.substr(0, kShownHash) +
                   " needs an approval, but approvals do not count now: " + consulted.untrusted->describe() +
                   (how_to_read.empty() ? "" : "; " + how_to_read);
    gate.requeue_after = kAskPolicyAgain;
  } else if (!consulted.doubtful.empty()) {
    gate.message = consulted.doubtful.back() +
                   " does not count: it is older than the admission policy that verifies approvers' names; " + gate.message;
  }
  return gate;
}

constexpr std::size_t kLedgerRows = 1'000;  // how far back to search for a started plan

// Returns the approval hash of an approved plan of which this one is the rest. The remainder of an approved plan, after a lost
// connection or a restart, needs no separate approval.
std::optional<std::string> covering_hash(const ReconcileContext& context, const Observed& observed,
                                         const OpenDatabase& database, const Plan& plan) {
  const auto approvals = consult_approvals(context).approvals;
  if (approvals.empty() || !observed.snapshot) {
    return std::nullopt;
  }
  const auto ledger = database.access->ledger(kLedgerRows);
  if (!ledger) {
    return std::nullopt;
  }
  for (const auto& begun : begun_plans(*observed.snapshot, plan, *ledger)) {
    std::string hash = approval_hash(begun, database.approval_scope);
    const auto tally = count_approvals(approvals, hash, context.resource.spec.policy.approvals, context.parts.clock.wall_now());
    if (tally.passed() || tally.rejection) {
      return hash;
    }
  }
  return std::nullopt;
}

// Returns a verdict when the gate is closed.
std::optional<Verdict> wait_at_gate(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                                    PlanReview& review) {
  GateVerdict gate = judge_gate(context, review);
  // Search the ledger only when an approval is missing, because it takes a query.
  if (!gate.open && gate.reason == Reason::ApprovalRequired) {
    if (auto whole = covering_hash(context, observed, database, *review.plan)) {
      review.covering_hash = std::move(*whole);
      gate = judge_gate(context, review);
    }
  }
  if (!gate.open && (gate.reason == Reason::ApprovalRequired || gate.reason == Reason::ApprovalsUntrusted)) {
    const std::string how_to_read = publish_text(context, review);
    gate = judge_gate(context, review, how_to_read);
  }
  review.approval = gate.approval;
  review.tally = gate.tally;
  if (gate.open) {
    return std::nullopt;
  }
  Verdict verdict;
  verdict.kind = gate.error || gate.reason == Reason::PlanRejected ? Verdict::Kind::Stalled : Verdict::Kind::Waiting;
  verdict.reason = gate.reason;
  verdict.message = std::move(gate.message);
  verdict.error = std::move(gate.error);
  verdict.requeue_after = gate.requeue_after;
  return verdict;
}

// Returns the heads after the plan. For a plan from an image only the pod knows them.
std::vector<std::string> destination_of(const Plan& plan, const DatabaseMigration& resource) {
  if (!resource.spec.source.image) {
    return plan.to;
  }
  const std::string last = plan.revisions.empty() ? std::string() : plan.revisions.back().walk.revision.value_or("");
  if (last.empty()) {
    return {plan.target + " of " + resource.spec.source.image->reference};
  }
  return {plan.operation == Direction::Downgrade ? "below " + last : last};
}

// Returns a verdict when the policy requires a backup and there is none.
std::optional<Verdict> back_up(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                               PlanReview& review) {
  const auto notice = [&](const std::string& message) {
    if (context.callbacks.backing_up) {
      context.callbacks.backing_up(review, database.target.hidden.hide(message));
    }
  };
  auto taken =
      context.parts.backups == nullptr
          ? fail(Error(ErrorCode::BackupRefused, "this operator cannot take backups").advise("start it with --backup-root"))
          : context.parts.backups->ensure(
                {context.resource, database.target, *observed.current_heads, destination_of(*review.plan, context.resource)},
                notice, context.stop);
  if (!taken) {
    taken = fail(database.target.hidden.hide(std::move(taken).error()));
  }
  if (taken) {
    review.backup = std::move(taken->backup);
    review.backup_accepted = taken->accepted;
    context.log.info(taken->accepted ? "backup accepted" : "backup taken", {{"location", review.backup->location},
                                                                            {"startedAt", review.backup->started_at},
                                                                            {"bytes", review.backup->size_bytes}});
    return std::nullopt;
  }
  if (!context.resource.spec.backup.required && taken.error().code != ErrorCode::Interrupted) {
    context.log.warn("backup failed; continuing because it is not required", error_fields(taken.error()));
    review.backup_error = std::move(taken).error();
    return std::nullopt;
  }
  Verdict verdict = verdict_of(std::move(taken).error());
  if (verdict.kind != Verdict::Kind::Waiting) {
    verdict.reason = Reason::BackupFailed;
  }
  return verdict;
}

}  // namespace

PlanReview review_plan(const ReconcileContext& context, std::shared_ptr<const Plan> plan, std::vector<std::string> destructive,
                       const std::string& approval_scope) {
  PlanReview review;
  review.plan = std::move(plan);
  review.approval_hash = approval_hash(review.plan->hash, approval_scope);
  review.destructive = std::move(destructive);
  GateVerdict gate = judge_gate(context, review);
  review.approval = std::move(gate.approval);
  review.tally = std::move(gate.tally);
  return review;
}

ConsultedApprovals consult_approvals(const ReconcileContext& context) {
  ConsultedApprovals consulted;
  if (context.parts.approvals == nullptr) {
    return consulted;
  }
  // Read approvals before trusted_since(): an approval that arrives in between must not be judged by an older answer.
  auto approvals = context.parts.approvals->approvals(context.resource.key());
  const auto since = context.parts.approvals->trusted_since();
  if (!since) {
    consulted.untrusted = since.error();
  }
  for (auto& approval : approvals) {
    // Accept untrusted rejections: a forged one only stops a run, whereas ignoring a real one would let it start.
    const bool certain = since && parse_iso8601(approval.approved_at).value_or(WallTime{}) >= *since;
    if (approval.rejects || certain) {
      consulted.approvals.push_back(std::move(approval));
    } else if (since) {
      consulted.doubtful.push_back(std::move(approval.name));
    }
  }
  return consulted;
}

Preflight check_may_run(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                        PlanReview review, const std::function<std::optional<Verdict>()>& dry_run) {
  if (auto drifted = held_by_drift(context.resource, observed)) {
    return {std::move(review), std::move(drifted)};
  }
  if (auto objected = held_by_lint(context.resource, review)) {
    return {std::move(review), std::move(objected)};
  }
  auto turned = wait_for_direction(context, *database.access, review.plan->operation);
  if (!turned) {
    return {std::move(review), verdict_of(std::move(turned).error())};
  }
  if (*turned) {
    return {std::move(review), std::move(*turned)};
  }
  if (auto failed = hold_by_rehearsal(context, observed, database.target, review, RehearsalPolicy::Schema)) {
    return {std::move(review), std::move(failed)};
  }
  if (auto closed = wait_at_gate(context, observed, database, review)) {
    return {std::move(review), std::move(closed)};
  }
  // Before the backup, which may take hours: the status must not show a Ready from before the run meanwhile.
  if (auto reported = report_pending(context, observed, &review); !reported) {
    return {std::move(review), verdict_of(std::move(reported).error())};
  }
  if (needs_backup(context.resource.spec.backup, *review.plan, review.destructive)) {
    if (auto refused = dry_run ? dry_run() : std::nullopt) {
      return {std::move(review), std::move(refused)};
    }
    if (auto without = back_up(context, observed, database, review)) {
      return {std::move(review), std::move(without)};
    }
  }
  if (auto failed = hold_by_rehearsal(context, observed, database.target, review, RehearsalPolicy::Backup)) {
    return {std::move(review), std::move(failed)};
  }
  // The backup may have taken hours: check everything again that can change meanwhile.
  auto still = may_begin(context, review);
  if (still) {
    still = inputs_hold(context, observed, database);
  }
  return {std::move(review), still ? std::nullopt : std::optional(verdict_of(std::move(still).error()))};
}

Result<void> inputs_hold(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database) {
  constexpr milliseconds kJustRead{1'000};
  const SteadyTime now = context.parts.clock.steady_now();
  if (now - observed.read_at < kJustRead) {
    return {};
  }
  DatabaseMigration anew = context.resource;
  anew.known_since = now;  // do not accept cached reads from before
  TRY_ASSIGN(const DatabaseTarget target, make_target(anew, context.parts.credentials));
  if (target.url != database.target.url) {
    return fail(
        Error(ErrorCode::StalePlan, "the connection to the database changed before the run started; nothing was changed"));
  }
  if (!observed.files) {
    return {};
  }
  TRY_ASSIGN(const LoadedSource loaded, context.parts.sources.load(anew));
  if (loaded.doubt) {  // the revisions may have been removed
    return fail(*loaded.doubt);
  }
  const SourceSnapshot& before = *observed.files;
  // Another id alone is no change: sources with the same names have the same content.
  if (loaded.snapshot->id() != before.id() && (before.names().empty() || loaded.snapshot->names() != before.names())) {
    return fail(Error(ErrorCode::StalePlan, "the source changed before the run started; nothing was changed"));
  }
  return {};
}

Result<void> may_begin(const ReconcileContext& context, const PlanReview& review) {
  if (declaration_state(context) != DeclarationState::Holds) {
    return fail(Error(ErrorCode::StalePlan, "the declaration changed before the run started; nothing was changed"));
  }
  if (!policy_holds(context)) {
    return fail(Error(ErrorCode::StalePlan,
                      "the operator or another resource on this database now requires a stricter policy; nothing was changed"));
  }
  if (const GateVerdict gate = judge_gate(context, review); !gate.open) {
    return fail(Error(ErrorCode::StalePlan, "the run may no longer start: " + gate.message));
  }
  return {};
}

}  // namespace athanor::controller
