#include "operator/reconcile/preflight.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace athanor::controller {
namespace {

std::vector<Approval> approvals_of(const ReconcileContext& given) {
  return given.parts.approvals == nullptr ? std::vector<Approval>{} : given.parts.approvals->approvals(given.resource.key());
}

GateVerdict judge_gate(const ReconcileContext& given, const Findings& found) {
  return pass_gate(given.resource, *found.plan, found.approvable, found.destructive, approvals_of(given),
                   given.parts.clock.wall_now());
}

constexpr std::size_t kLedgerRows = 1'000;  // that may tell of a plan that was begun

// What remains of an approved plan, after a lost connection or a restart of the operator, needs no approval of its own.
std::optional<std::string> approved_before(const Findings& found, const std::vector<Approval>& approvals) {
  if (approvals.empty() || !found.snapshot || found.access == nullptr) {
    return std::nullopt;
  }
  const auto ledger = found.access->ledger(kLedgerRows);
  if (!ledger) {
    return std::nullopt;
  }
  for (const auto& begun : begun_plans(*found.snapshot, *found.plan, *ledger)) {
    std::string hash = approval_hash(begun, found.scope);
    if (std::ranges::find(approvals, hash, &Approval::plan_hash) != approvals.end()) {
      return hash;
    }
  }
  return std::nullopt;
}

// An outcome when the gate is closed.
std::optional<Outcome> wait_at_gate(const ReconcileContext& given, Findings& found) {
  found.approvable = approval_hash(found.plan->hash, found.scope);
  GateVerdict verdict = judge_gate(given, found);
  if (!verdict.open && verdict.reason == Reason::ApprovalRequired) {
    if (auto whole = approved_before(found, approvals_of(given))) {
      found.approvable = std::move(*whole);
      verdict = judge_gate(given, found);
    }
  }
  found.approval = verdict.approval;
  if (verdict.open) {
    return std::nullopt;
  }
  Outcome outcome;
  outcome.kind = verdict.error ? Outcome::Kind::Stalled : Outcome::Kind::Waiting;
  outcome.reason = verdict.reason;
  outcome.message = std::move(verdict.message);
  outcome.error = std::move(verdict.error);
  outcome.requeue_after = verdict.requeue_after;
  return outcome;
}

// Where the plan leads. Of revisions in an image no more is known than what the pod told.
std::vector<std::string> destination_of(const Findings& found) {
  const Plan& plan = *found.plan;
  if (found.snapshot) {
    return plan.to;
  }
  const std::string last = plan.revisions.empty() ? std::string() : plan.revisions.back().walk.revision.value_or("");
  if (last.empty()) {
    return {plan.target + " of " + found.image};
  }
  return {plan.operation == Direction::Downgrade ? "below " + last : last};
}

// An outcome when there is no backup and there must be one.
std::optional<Outcome> back_up(const ReconcileContext& given, Findings& found) {
  const auto notice = [&](const std::string& message) {
    if (given.notes.backing_up) {
      given.notes.backing_up(found.note(), message);
    }
  };
  auto taken =
      given.parts.backups == nullptr
          ? fail(Error(ErrorCode::BackupRefused, "this operator cannot take backups").advise("start it with --backup-root"))
          : given.parts.backups->ensure({given.resource, found.target, *found.rows, destination_of(found)}, notice, given.stop);
  if (taken) {
    found.backup = std::move(taken->backup);
    found.backup_accepted = taken->accepted;
    given.log.info(
        taken->accepted ? "backup accepted" : "backup taken",
        {{"location", found.backup->location}, {"startedAt", found.backup->started_at}, {"bytes", found.backup->size_bytes}});
    return std::nullopt;
  }
  if (!given.resource.spec.backup.required && taken.error().code != ErrorCode::Interrupted) {
    given.log.warn("no backup; it is not required", error_fields(taken.error()));
    found.backup_error = std::move(taken).error();
    return std::nullopt;
  }
  Outcome outcome = outcome_of(std::move(taken).error());
  if (outcome.kind != Outcome::Kind::Waiting) {
    outcome.reason = Reason::BackupFailed;
  }
  return outcome;
}

}  // namespace

void find_approval(const ReconcileContext& given, Findings& found) {
  found.approval = approval_of(given.resource, *found.plan, approval_hash(found.plan->hash, found.scope), found.destructive,
                               approvals_of(given));
}

std::optional<Outcome> check_may_run(const ReconcileContext& given, Findings& found,
                                     const std::function<std::optional<Outcome>()>& dry_run_create) {
  if (auto closed = wait_at_gate(given, found)) {
    return closed;
  }
  if (needs_backup(given.resource.spec.backup, *found.plan, found.destructive)) {
    if (auto refused = dry_run_create ? dry_run_create() : std::nullopt) {
      return refused;
    }
    if (auto without = back_up(given, found)) {
      return without;
    }
  }
  if (const auto still = may_begin(given, found); !still) {
    return outcome_of(still.error());
  }
  return std::nullopt;
}

DeclarationState declaration_state(const ReconcileContext& given) {
  return given.notes.standing ? given.notes.standing() : DeclarationState::Holds;
}

Result<void> may_begin(const ReconcileContext& given, const Findings& found) {
  if (declaration_state(given) != DeclarationState::Holds) {
    return fail(Error(ErrorCode::StalePlan, "the declaration changed before the run began; nothing was changed"));
  }
  if (const GateVerdict verdict = judge_gate(given, found); !verdict.open) {
    return fail(Error(ErrorCode::StalePlan, "the run may no longer begin: " + verdict.message));
  }
  return {};
}

}  // namespace athanor::controller
