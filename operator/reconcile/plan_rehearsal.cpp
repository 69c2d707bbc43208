#include "operator/reconcile/plan_rehearsal.hpp"

#include <utility>

#include "operator/reconcile/status_entries.hpp"

namespace athanor::controller {
namespace {

ShortDigest rehearsal_of(const ReconcileContext& context, const DatabaseTarget& target, const ScratchTarget& scratch,
                         const PlanReview& review) {
  return sha256_short(review.approval_hash + '\n' + review.plan->hash + '\n' +
                      std::to_string(context.resource.metadata.generation) + '\n' + retry_annotation(context.resource) + '\n' +
                      target.url + '\n' + scratch.url + '\n' + (scratch.any_role ? "any" : ""));
}

Verdict blocked(const RehearsalResult& result) {
  Error error = *result.failure;
  error.message = "the plan cannot run because its rehearsal failed: " + error.message;
  Verdict verdict = verdict_of(std::move(error));
  verdict.kind = Verdict::Kind::Stalled;
  verdict.reason = Reason::RehearsalFailed;
  return verdict;
}

Verdict not_rehearsed(Error error) {
  if (error.code == ErrorCode::Interrupted) {  // where it stopped says nothing about the plan
    return verdict_of(Error(ErrorCode::Interrupted, "the rehearsal was stopped with the operator; the next start repeats it"));
  }
  error.message = "the plan cannot run because it cannot be rehearsed: " + error.message;
  Verdict verdict = verdict_of(std::move(error));
  if (verdict.kind != Verdict::Kind::Waiting) {
    verdict.reason = Reason::RehearsalFailed;
  }
  return verdict;
}

}  // namespace

std::optional<Verdict> hold_by_rehearsal(const ReconcileContext& context, const Observed& observed,
                                         const DatabaseTarget& target, PlanReview& review, RehearsalPolicy kind) {
  if (context.resource.spec.policy.rehearsal != kind || review.plan->operation == Direction::Stamp || review.plan->empty()) {
    return std::nullopt;
  }
  if (context.parts.rehearsals == nullptr) {
    return not_rehearsed(Error(ErrorCode::ScratchUnavailable, "this operator cannot rehearse plans"));
  }
  HiddenValues hidden = target.hidden;
  auto scratch = scratch_target(context.resource, context.parts.credentials, hidden);
  if (!scratch) {
    return not_rehearsed(hidden.hide(std::move(scratch).error()));
  }
  const ShortDigest wanted = rehearsal_of(context, target, *scratch, review);
  auto& known = context.memory.rehearsed;
  const bool again = known && known->of == wanted;
  if (!again) {
    if (context.callbacks.rehearsing) {  // it takes minutes, on a backup hours
      context.callbacks.rehearsing(review, observed,
                                   "plan " + short_hash(review) + " is being rehearsed on " +
                                       (kind == RehearsalPolicy::Backup ? "a backup" : "a copy of the schema") + ", since " +
                                       format_iso8601(context.parts.clock.wall_now()) +
                                       "; the database is not changed meanwhile");
    }
    const auto unwanted = [&context] { return declaration_state(context) != DeclarationState::Holds; };
    auto result =
        context.parts.rehearsals->rehearse({context.resource, target, *review.plan, *scratch, unwanted}, context.stop);
    if (!result && result.error().code == ErrorCode::Interrupted && unwanted()) {
      return verdict_of(Error(ErrorCode::StalePlan, "the declaration changed during the rehearsal; nothing was changed"));
    }
    if (!result) {
      return not_rehearsed(hidden.hide(std::move(result).error()));
    }
    if (result->failure) {
      result->failure = hidden.hide(std::move(*result->failure));
    }
    result->status.approval_hash = review.approval_hash;
    context.log.info("plan rehearsed", {{"plan", review.plan->hash},
                                        {"copy", result->status.copy},
                                        {"passed", !result->failure.has_value()},
                                        {"milliseconds", result->status.duration_ms}});
    known = std::make_unique<ReconcileMemory::RehearsedPlan>(ReconcileMemory::RehearsedPlan{wanted, std::move(*result)});
  }
  review.rehearsal = known->result.status;
  if (!known->result.failure) {
    return std::nullopt;
  }
  Verdict verdict = blocked(known->result);
  verdict.repeated = again;
  return verdict;
}

}  // namespace athanor::controller
