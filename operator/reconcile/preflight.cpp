#include "operator/reconcile/preflight.hpp"
#include "operator/reconcile/direction_cooldown.hpp"
#include "operator/reconcile/drift_watch.hpp"

#include <algorithm>
#include <utility>

namespace athanor::controller {
namespace {

std::vector<Approval> approvals_of(const ReconcileContext& context) {
  return context.parts.approvals == nullptr ? std::vector<Approval>{}
                                            : context.parts.approvals->approvals(context.resource.key());
}

GateVerdict judge_gate(const ReconcileContext& context, const PlanReview& review) {
  return pass_gate(context.resource, *review.plan, review.approvable(), review.destructive, approvals_of(context),
                   context.parts.clock.wall_now());
}

constexpr std::size_t kLedgerRows = 1'000;  // that are searched for a plan that was begun

// The hash of an approved plan of which this one is the rest. What a lost connection or a restart left of an approved plan
// needs no approval of its own.
std::optional<std::string> covering_hash(const ReconcileContext& context, const Observed& observed,
                                         const OpenDatabase& database, const Plan& plan) {
  const auto approvals = approvals_of(context);
  if (approvals.empty() || !observed.snapshot) {
    return std::nullopt;
  }
  const auto ledger = database.access->ledger(kLedgerRows);
  if (!ledger) {
    return std::nullopt;
  }
  for (const auto& begun : begun_plans(*observed.snapshot, plan, *ledger)) {
    std::string hash = approval_hash(begun, database.approval_scope);
    if (std::ranges::find(approvals, hash, &Approval::plan_hash) != approvals.end()) {
      return hash;
    }
  }
  return std::nullopt;
}

// A verdict when the gate is closed.
std::optional<Verdict> wait_at_gate(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                                    PlanReview& review) {
  GateVerdict gate = judge_gate(context, review);
  if (!gate.open && gate.reason == Reason::ApprovalRequired) {
    if (auto whole = covering_hash(context, observed, database, *review.plan)) {
      review.covering_hash = std::move(*whole);
      gate = judge_gate(context, review);
    }
  }
  review.approval = gate.approval;
  if (gate.open) {
    return std::nullopt;
  }
  Verdict verdict;
  verdict.kind = gate.error ? Verdict::Kind::Stalled : Verdict::Kind::Waiting;
  verdict.reason = gate.reason;
  verdict.message = std::move(gate.message);
  verdict.error = std::move(gate.error);
  verdict.requeue_after = gate.requeue_after;
  return verdict;
}

// Where the plan leads. The heads after a plan from an image are known only to the pod that made it.
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

// A verdict when there is no backup and the policy requires one.
std::optional<Verdict> back_up(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                               PlanReview& review) {
  const auto notice = [&](const std::string& message) {
    if (context.callbacks.backing_up) {
      context.callbacks.backing_up(review, message);
    }
  };
  auto taken =
      context.parts.backups == nullptr
          ? fail(Error(ErrorCode::BackupRefused, "this operator cannot take backups").advise("start it with --backup-root"))
          : context.parts.backups->ensure(
                {context.resource, database.target, *observed.current_heads, destination_of(*review.plan, context.resource)},
                notice, context.stop);
  if (taken) {
    review.backup = std::move(taken->backup);
    review.backup_accepted = taken->accepted;
    context.log.info(taken->accepted ? "backup accepted" : "backup taken", {{"location", review.backup->location},
                                                                            {"startedAt", review.backup->started_at},
                                                                            {"bytes", review.backup->size_bytes}});
    return std::nullopt;
  }
  if (!context.resource.spec.backup.required && taken.error().code != ErrorCode::Interrupted) {
    context.log.warn("no backup; it is not required", error_fields(taken.error()));
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
  review.approval =
      approval_of(context.resource, *review.plan, review.approval_hash, review.destructive, approvals_of(context));
  return review;
}

Preflight check_may_run(const ReconcileContext& context, const Observed& observed, const OpenDatabase& database,
                        PlanReview review, const std::function<std::optional<Verdict>()>& dry_run) {
  if (auto drifted = held_by_drift(context.resource, observed)) {
    return {std::move(review), std::move(drifted)};
  }
  auto turned = wait_for_direction(context, *database.access, review.plan->operation);
  if (!turned) {
    return {std::move(review), verdict_of(std::move(turned).error())};
  }
  if (*turned) {
    return {std::move(review), std::move(*turned)};
  }
  if (auto closed = wait_at_gate(context, observed, database, review)) {
    return {std::move(review), std::move(closed)};
  }
  if (auto told = tell_pending(context, observed, &review); !told) {
    return {std::move(review), verdict_of(std::move(told).error())};
  }
  if (needs_backup(context.resource.spec.backup, *review.plan, review.destructive)) {
    if (auto refused = dry_run ? dry_run() : std::nullopt) {
      return {std::move(review), std::move(refused)};
    }
    if (auto without = back_up(context, observed, database, review)) {
      return {std::move(review), std::move(without)};
    }
  }
  if (const auto still = may_begin(context, review); !still) {
    return {std::move(review), verdict_of(still.error())};
  }
  return {std::move(review), std::nullopt};
}

Result<void> may_begin(const ReconcileContext& context, const PlanReview& review) {
  if (declaration_state(context) != DeclarationState::Holds) {
    return fail(Error(ErrorCode::StalePlan, "the declaration changed before the run began; nothing was changed"));
  }
  if (const GateVerdict gate = judge_gate(context, review); !gate.open) {
    return fail(Error(ErrorCode::StalePlan, "the run may no longer begin: " + gate.message));
  }
  return {};
}

}  // namespace athanor::controller
