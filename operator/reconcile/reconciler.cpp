#include "operator/reconcile/reconciler.hpp"

#include <utility>

#include "migrations/base/sha256.hpp"
#include "operator/reconcile/run_progress.hpp"

namespace athanor::controller {
namespace {

std::string joined(const std::vector<std::string>& rows) {
  std::string text;
  for (const auto& row : rows) {
    text += (text.empty() ? "" : ", ") + row;
  }
  return text.empty() ? "base" : text;
}

std::string count_of_revisions(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " revision" : " revisions");
}

std::vector<std::string> ids_of(const Plan& plan) {
  std::vector<std::string> ids;
  for (const auto& revision : plan.revisions) {
    ids.push_back(revision.walk.revision.value_or(""));
  }
  return ids;
}

// What a failure belongs to: nothing but a change of one of these makes the plan worth running again.
std::string fingerprint(const DatabaseMigration& resource, const DatabaseTarget& target, const Plan& plan) {
  const auto retry = resource.metadata.annotations.find(kRetryNowAnnotation);
  return sha256_hex(plan.hash + '\n' + std::to_string(resource.metadata.generation) + '\n' +
                    (retry == resource.metadata.annotations.end() ? "" : retry->second) + '\n' + target.url);
}

}  // namespace

// The life of one reconcile, from what is known to the outcome.
class Reconciler::Run {
 public:
  Run(ReconcilerParts& parts, const DatabaseMigration& resource, Memory& memory, const StopToken& stop, const Log& log)
      : parts_(parts), resource_(resource), memory_(memory), stop_(stop), log_(log) {}

  Outcome perform(const std::string& claimed_by, const Progress& progress) {
    if (auto early = decide_early(resource_, claimed_by)) {
      return from_decision(std::move(*early));
    }
    if (stop_.requested()) {
      return outcome_of(Error(ErrorCode::Interrupted, "the operator is stopping"));
    }
    RunProgress sink(parts_.clock, parts_.observer, log_, progress);
    auto outcome = look_and_act(sink);
    Outcome result = outcome ? std::move(*outcome) : outcome_of(std::move(outcome).error());
    fill(result);
    memory_.met_lock = result.reason == Reason::LockHeld;
    if (result.blockers.empty()) {
      result.blockers = sink.holders();
    }
    return result;
  }

 private:
  Result<Outcome> look_and_act(RunProgress& sink) {
    TRY_ASSIGN(snapshot_, parts_.sources.load(resource_));
    TRY_ASSIGN(target_, make_target(resource_, parts_.credentials));
    TRY_ASSIGN(auto access, parts_.databases.open(target_, sink));
    Situation situation;
    situation.graph = &snapshot_->graph();
    TRY_ASSIGN(situation.database, access->observe());
    rows_ = situation.database.rows;
    if (memory_.met_lock) {
      TRY_ASSIGN(situation.lock_holders, access->lock_holders());
    }
    Decision decision = decide(resource_, situation);
    resolved_ = decision.resolved;
    if (decision.kind == Decision::Kind::UpToDate) {
      TRY(verify(*access, nullptr));
      pending_.emplace();
    }
    if (decision.kind != Decision::Kind::Apply && decision.kind != Decision::Kind::Plan) {
      return from_decision(std::move(decision));
    }
    return plan_and_execute(*access, std::move(decision));
  }

  Result<Outcome> plan_and_execute(DatabaseAccess& access, Decision decision) {
    pending_ = decision.pending;
    TRY_ASSIGN(plan_, snapshot_->plan(decision.direction, *rows_, decision.targets));
    pending_ = ids_of(*plan_);
    TRY(verify(access, plan_.get()));
    if (decision.kind == Decision::Kind::Plan) {
      Outcome published;
      published.kind = Outcome::Kind::Done;
      published.reason = Reason::PlanPublished;
      published.message = "dry run: " + count_of_revisions(plan_->revisions.size()) + " to " +
                          std::string(direction_name(plan_->operation)) + ", nothing is run";
      return published;
    }
    const std::string attempt = fingerprint(resource_, target_, *plan_);
    if (attempt == memory_.failed_attempt) {
      return memory_.failure;
    }
    memory_.failed_attempt.clear();
    return execute(access, attempt);
  }

  Outcome execute(DatabaseAccess& access, const std::string& attempt) {
    log_.info("migration started", {{"direction", direction_name(plan_->operation)},
                                    {"from", joined(plan_->from)},
                                    {"to", joined(plan_->to)},
                                    {"revisions", plan_->revisions.size()},
                                    {"plan", plan_->hash}});
    ExecutionReport report = access.execute(*plan_, stop_);
    rows_ = report.rows;
    if (report.lock_waited > milliseconds(0)) {
      parts_.observer.lock_waited(std::chrono::duration<double>(report.lock_waited).count());
    }
    if (report.ok()) {
      return applied(std::move(report));
    }
    Outcome outcome = outcome_of(*report.error);
    outcome.blockers = report.blockers;
    // A run that met the lock before its first statement has no history to tell.
    const bool ran = !report.executed.empty() || !report.failed_revision.empty();
    if (ran) {
      drop_executed(report);
    }
    if (outcome.kind == Outcome::Kind::Stalled || (outcome.kind == Outcome::Kind::Failed && !outcome.at_once)) {
      parts_.observer.run_failed(outcome.reason);
    }
    if (ran) {
      outcome.report = std::move(report);
    }
    if (outcome.kind == Outcome::Kind::Stalled) {
      remember_failure(outcome, attempt);
    }
    return outcome;
  }

  void remember_failure(const Outcome& outcome, const std::string& attempt) {
    // What was applied before the failure changed the start: the next plan differs, so the fingerprint must be of that one.
    if (outcome.report && !outcome.report->executed.empty()) {
      const auto rest = snapshot_->plan(plan_->operation, *rows_, {plan_->target});
      if (!rest) {
        return;
      }
      memory_.failed_attempt = fingerprint(resource_, target_, **rest);
    } else {
      memory_.failed_attempt = attempt;
    }
    memory_.failure = outcome;
    memory_.failure.repeated = true;
    memory_.failure.plan.reset();
  }

  Outcome applied(ExecutionReport report) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::Done;
    outcome.reason = Reason::Applied;
    const bool up = plan_->operation == Direction::Upgrade;
    outcome.message = "the database is at " + joined(report.rows) + " after " + (up ? "an upgrade" : "a downgrade") + " of " +
                      count_of_revisions(report.executed.size());
    pending_.emplace();
    log_.info("migration applied", {{"revisions", report.executed.size()},
                                    {"at", joined(report.rows)},
                                    {"runID", report.run_id},
                                    {"seconds", std::chrono::duration<double>(report.duration).count()}});
    // The run wrote these checksums itself, from the snapshot's files.
    memory_.verified = verification();
    outcome.report = std::move(report);
    return outcome;
  }

  void drop_executed(const ExecutionReport& report) {
    for (const auto& executed : report.executed) {
      if (pending_) {
        std::erase(*pending_, executed.revision);
      }
    }
  }

  [[nodiscard]] std::string verification() const { return snapshot_->id() + "@" + joined(*rows_); }

  // Files of applied revisions against the ledger: once per content of the source and rows of the database.
  Result<void> verify(DatabaseAccess& access, const Plan* plan) {
    if (rows_->empty() || memory_.verified == verification()) {
      return {};
    }
    TRY(access.verify_checksums(*snapshot_, *rows_, plan));
    memory_.verified = verification();
    return {};
  }

  Outcome from_decision(Decision decision) {
    Outcome outcome;
    switch (decision.kind) {
      case Decision::Kind::Wait:
        outcome.kind = Outcome::Kind::Waiting;
        break;
      case Decision::Kind::Stalled:
        outcome.kind = Outcome::Kind::Stalled;
        break;
      default:
        outcome.kind = Outcome::Kind::Done;
        break;
    }
    outcome.reason = decision.reason;
    outcome.message = std::move(decision.message);
    outcome.error = std::move(decision.error);
    return outcome;
  }

  void fill(Outcome& outcome) const {
    outcome.rows = rows_;
    outcome.resolved = resolved_;
    outcome.pending = pending_;
    if (!outcome.repeated) {  // the status keeps the plan that failed
      outcome.plan = plan_;
    }
  }

  ReconcilerParts& parts_;
  const DatabaseMigration& resource_;
  Memory& memory_;
  const StopToken& stop_;
  const Log& log_;
  std::shared_ptr<SourceSnapshot> snapshot_;
  DatabaseTarget target_;
  std::optional<std::vector<std::string>> rows_;
  std::optional<std::vector<std::string>> resolved_;
  std::optional<std::vector<std::string>> pending_;
  std::shared_ptr<const Plan> plan_;
};

Outcome Reconciler::reconcile(const DatabaseMigration& resource, const std::string& claimed_by, const Progress& progress,
                              const StopToken& stop, const Log& log) {
  Memory memory = recall(resource.key());
  Outcome outcome = Run(parts_, resource, memory, stop, log).perform(claimed_by, progress);
  remember(resource.key(), std::move(memory));
  if (outcome.pending) {
    parts_.observer.pending(resource.key(), outcome.pending->size());
  }
  return outcome;
}

Reconciler::Memory Reconciler::recall(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  return memories_[key];
}

void Reconciler::remember(const ResourceKey& key, Memory memory) {
  const std::lock_guard lock(mutex_);
  memories_[key] = std::move(memory);
}

void Reconciler::forget(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  memories_.erase(key);
}

}  // namespace athanor::controller
