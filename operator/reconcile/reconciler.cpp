#include "operator/reconcile/reconciler.hpp"

#include <atomic>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/job_reconcile.hpp"
#include "operator/reconcile/preflight.hpp"
#include "operator/reconcile/run_progress.hpp"

namespace athanor::controller {
namespace {

// What a failure belongs to: nothing but a change of one of these makes the plan worth running again.
std::string fingerprint(const DatabaseMigration& resource, const DatabaseTarget& target, const Plan& plan) {
  return sha256_hex(plan.hash + '\n' + std::to_string(resource.metadata.generation) + '\n' + retry_annotation(resource) + '\n' +
                    target.url);
}

}  // namespace

// The life of one reconcile, from what is known to the outcome.
class Reconciler::Run {
 public:
  explicit Run(const ReconcileContext& given) : given_(given), jobs_(given, found_) {}

  Outcome perform(const std::string& claimed_by) {
    auto early = decide_early(given_.resource, claimed_by);
    if (early && !jobs_.may_be_under_way()) {
      return from_decision(std::move(*early));
    }
    if (given_.stop.requested()) {
      return outcome_of(Error(ErrorCode::Interrupted, "the operator is stopping"));
    }
    const auto tell = [this](const Plan&, const ProgressStatus& progress) {
      if (given_.notes.running) {
        given_.notes.running(found_.note(), progress);
      }
    };
    RunProgress sink(given_.parts.clock, given_.parts.observer, given_.log, tell);
    auto outcome = early ? leave_alone(std::move(*early), claimed_by, sink) : observe_and_act(sink);
    Outcome result = outcome ? std::move(*outcome) : outcome_of(std::move(outcome).error());
    if (result.requeued) {
      return result;
    }
    fill(result);
    given_.memory.met_lock = result.reason == Reason::LockHeld;
    if (result.blockers.empty()) {
      result.blockers = sink.holders();
    }
    return result;
  }

 private:
  [[nodiscard]] bool in_job() const { return given_.resource.spec.execution.mode == ExecutionMode::Job; }

  // Begins nothing. A Job that was begun before is told to its end, or a database that changes would be said to be left alone.
  Result<Outcome> leave_alone(Decision early, const std::string& claimed_by, RunProgress& sink) {
    if (given_.parts.jobs == nullptr) {
      return from_decision(std::move(early));
    }
    TRY_ASSIGN(auto under_way, jobs_.find_running(claimed_by, sink));
    if (under_way) {
      return std::move(*under_way);
    }
    if (jobs_.has_unreported()) {
      TRY_ASSIGN(found_.target, make_target(given_.resource, given_.parts.credentials));
      TRY_ASSIGN(auto access, given_.parts.databases.open(found_.target, sink));
      TRY_ASSIGN(const Observation database, access->observe());
      found_.rows = database.current_heads;
      TRY(jobs_.report_last(*access));
    }
    return from_decision(std::move(early));
  }

  Result<Outcome> observe_and_act(RunProgress& sink) {
    if (jobs_.may_be_under_way()) {
      TRY_ASSIGN(auto under_way, jobs_.find_running({}, sink));
      if (under_way) {
        return std::move(*under_way);
      }
    }
    if (!given_.resource.spec.source.image) {
      TRY_ASSIGN(auto loaded, given_.parts.sources.load(given_.resource));
      found_.snapshot = std::move(loaded.snapshot);
      found_.source_doubt = std::move(loaded.doubt);
      if (found_.source_doubt) {
        given_.log.warn("the source cannot be looked at; judged by what it held last", error_fields(*found_.source_doubt));
      }
      TRY(check_source());
    }
    TRY_ASSIGN(found_.target, make_target(given_.resource, given_.parts.credentials));
    TRY_ASSIGN(const bool has_room, locate());
    if (!has_room) {
      Outcome outcome;
      outcome.kind = Outcome::Kind::Waiting;
      outcome.requeued = true;
      return outcome;
    }
    TRY_ASSIGN(auto access, given_.parts.databases.open(found_.target, sink));
    Situation situation;
    TRY_ASSIGN(situation.database, observe(*access));
    auto contested = decide_early(given_.resource, claimed_by(situation.database));
    if (contested && !jobs_.has_unreported()) {
      return from_decision(std::move(*contested));
    }
    found_.access = access.get();
    found_.rows = situation.database.current_heads;
    TRY(jobs_.report_last(*access));
    if (contested) {
      return from_decision(std::move(*contested));
    }
    if (!found_.snapshot) {
      TRY(limit_approvals());
      return jobs_.run_image(situation.database);
    }
    situation.graph = &found_.snapshot->graph();
    if (given_.memory.met_lock) {
      TRY_ASSIGN(situation.lock_holders, access->lock_holders());
    }
    Decision decision = decide(given_.resource, situation);
    found_.resolved = decision.resolved;
    if (found_.source_doubt && decision.kind != Decision::Kind::UpToDate && decision.kind != Decision::Kind::Wait) {
      // What is to be done may have been taken back meanwhile, what is missing may be there.
      found_.pending = decision.pending;
      return fail(*found_.source_doubt);
    }
    if (decision.kind == Decision::Kind::UpToDate) {
      TRY(verify(*access, nullptr));
      found_.pending.emplace();
      if (const auto run = jobs_.news(); run && jobs_.has_succeeded()) {
        return applied(run->report, run->direction);
      }
    }
    if (decision.kind != Decision::Kind::Apply && decision.kind != Decision::Kind::Plan) {
      return from_decision(std::move(decision));
    }
    return plan_and_execute(*access, decision, sink);
  }

  // A mistyped key or folder holds no revision either, and a database that has none would count as done.
  [[nodiscard]] Result<void> check_source() const {
    if (found_.snapshot->graph().size() > 0 || given_.resource.spec.target_revision == "base") {
      return {};
    }
    const bool has_folders = given_.resource.spec.source.config_maps.empty();
    return fail(
        Error(ErrorCode::MalformedRevision, "the source holds no revision file")
            .at("spec.source")
            .advise(std::string("revision files end in .sql or .py") +
                    (has_folders ? "; name their folder, or set source.recursive if they lie in folders below it" : "") +
                    "; a database without revisions is targetRevision: base"));
  }

  // Credentials that were refused may have been replaced since they were read, for somebody else: they are read once more.
  Result<Observation> observe(DatabaseAccess& access) {
    auto seen = access.observe();
    if (seen || seen.error().code != ErrorCode::AuthenticationFailed) {
      return seen;
    }
    DatabaseMigration anew = given_.resource;
    anew.known_since = SteadyTime::max();
    TRY_ASSIGN(const DatabaseTarget renewed, make_target(anew, given_.parts.credentials));
    return renewed.url == found_.target.url ? std::move(seen)
                                            : fail(Error(ErrorCode::StalePlan, "the credentials changed while they were used"));
  }

  Result<Outcome> plan_and_execute(DatabaseAccess& access, const Decision& decision, RunProgress& sink) {
    found_.pending = decision.pending;
    TRY(limit_approvals());
    TRY_ASSIGN(found_.plan, found_.snapshot->plan(decision.direction, *found_.rows, decision.targets));
    found_.pending = ids_of(*found_.plan);
    found_.destructive = destructive_statements(*found_.plan);
    find_approval(given_, found_);
    TRY(verify(access, found_.plan.get()));
    if (decision.kind == Decision::Kind::Plan) {
      return published(*found_.plan);
    }
    return in_job() ? jobs_.run() : run_here(access, sink);
  }

  Result<Outcome> run_here(DatabaseAccess& access, RunProgress& sink) {
    const std::string attempt = fingerprint(given_.resource, found_.target, *found_.plan);
    if (given_.memory.failed && given_.memory.failed->attempt == attempt) {
      return given_.memory.failed->outcome;
    }
    given_.memory.failed.reset();
    if (auto not_yet = check_may_run(given_, found_)) {
      return std::move(*not_yet);
    }
    return execute(access, attempt, sink);
  }

  // False when the server has no room; asked once it is known which one that is.
  Result<bool> locate() {
    TRY_ASSIGN(found_.place.described, given_.parts.databases.describe(found_.target));
    return !given_.parts.has_room || given_.parts.has_room(given_.resource, found_.place);
  }

  // An approval is of a plan in this place. Most looks find no plan, and are spared reading the URL once more.
  Result<void> limit_approvals() {
    ConnectionKeywords keywords;
    if (given_.parts.connection_keywords) {
      TRY_ASSIGN(keywords, given_.parts.connection_keywords(found_.target.url));
    }
    found_.scope = approval_scope(given_.resource, found_.place, keywords);
    return {};
  }

  // Which other resource has the database; it is the server that says which one that is.
  std::string claimed_by(const Observation& database) {
    found_.place.identity = database.identity;
    return given_.parts.claim ? given_.parts.claim(given_.resource, found_.place) : std::string();
  }

  // A run that waits for its lock ends when anything was declared anew, one that has begun when the resource is suspended or
  // deleted, at its next safe point.
  ExecutionReport execute_while_declared(DatabaseAccess& access, RunProgress& sink) {
    std::atomic<bool> withdrawn{false};
    sink.set_checkpoint([&](bool begun) {
      const bool goes_on =
          begun ? declaration_state(given_) != DeclarationState::Withdrawn : may_begin(given_, found_).has_value();
      if (!goes_on) {
        withdrawn.store(true);
      }
    });
    ExecutionReport report =
        access.execute(*found_.plan, given_.stop.or_once(withdrawn), [this] { return may_begin(given_, found_); });
    sink.set_checkpoint({});
    return report;
  }

  Outcome execute(DatabaseAccess& access, const std::string& attempt, RunProgress& sink) {
    given_.log.info("migration started", {{"direction", direction_name(found_.plan->operation)},
                                          {"from", heads_text(found_.plan->from, ", ")},
                                          {"to", heads_text(found_.plan->to, ", ")},
                                          {"revisions", found_.plan->revisions.size()},
                                          {"plan", found_.plan->hash}});
    ExecutionReport report = execute_while_declared(access, sink);
    found_.rows = report.current_heads;
    if (report.lock_waited > milliseconds(0)) {
      given_.parts.observer.lock_waited(std::chrono::duration<double>(report.lock_waited).count());
    }
    if (report.ok()) {
      given_.memory.verified = verification();  // the run wrote these checksums itself, from the snapshot's files
      return applied(std::move(report), found_.plan->operation);
    }
    Outcome outcome = outcome_of(*report.error);
    if (outcome.reason == Reason::Interrupted && !given_.stop.requested()) {
      outcome.message = "the run was ended because its declaration was taken back; " + outcome.message;
      outcome.requeue_after = milliseconds(1);
    }
    outcome.blockers = report.blockers;
    // A run that met the lock before its first statement has no history to tell.
    const bool ran = !report.executed.empty() || !report.failed_revision.empty();
    if (ran) {
      drop_executed(report);
    }
    if (outcome.kind == Outcome::Kind::Stalled || (outcome.kind == Outcome::Kind::Failed && !outcome.retry_now)) {
      given_.parts.observer.run_failed(outcome.reason);
    }
    if (ran) {
      outcome.report = std::move(report);
    }
    if (outcome.kind == Outcome::Kind::Stalled) {
      remember_failure(outcome, attempt);
    }
    return outcome;
  }

  void remember_failure(const Outcome& outcome, std::string failed_at) {
    // What was applied before the failure changed the start: the next plan differs, so the fingerprint must be of that one.
    if (outcome.report && !outcome.report->executed.empty()) {
      const auto rest = found_.snapshot->plan(found_.plan->operation, *found_.rows, {found_.plan->target});
      if (!rest) {
        return;
      }
      failed_at = fingerprint(given_.resource, found_.target, **rest);
    }
    given_.memory.failed =
        std::make_unique<ReconcileMemory::FailedPlan>(ReconcileMemory::FailedPlan{std::move(failed_at), outcome});
    given_.memory.failed->outcome.repeated = true;
    given_.memory.failed->outcome.plan.reset();
  }

  Outcome applied(ExecutionReport report, Direction direction) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::Done;
    outcome.reason = Reason::Applied;
    const bool up = direction == Direction::Upgrade;
    outcome.message = "the database is at " + heads_text(report.current_heads, ", ") + " after " +
                      (up ? "an upgrade" : "a downgrade") + " of " + count_of_revisions(report.executed.size());
    found_.pending.emplace();
    given_.log.info("migration applied", {{"revisions", report.executed.size()},
                                          {"at", heads_text(report.current_heads, ", ")},
                                          {"runID", report.run_id},
                                          {"seconds", std::chrono::duration<double>(report.duration).count()}});
    outcome.report = std::move(report);
    return outcome;
  }

  void drop_executed(const ExecutionReport& report) {
    for (const auto& executed : report.executed) {
      if (found_.pending) {
        std::erase(*found_.pending, executed.revision);
      }
    }
  }

  [[nodiscard]] ShortDigest verification() const {
    return sha256_short(found_.snapshot->id() + "@" + heads_text(*found_.rows, ", "));
  }

  // Files of applied revisions against the ledger: once per content of the source and rows of the database.
  Result<void> verify(DatabaseAccess& access, const Plan* plan) {
    if (found_.rows->empty() || given_.memory.verified == verification()) {
      return {};
    }
    TRY(access.verify_checksums(*found_.snapshot, *found_.rows, plan));
    given_.memory.verified = verification();
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
    outcome.job_run = jobs_.news();
    outcome.rows = found_.rows;
    outcome.resolved = found_.resolved;
    outcome.pending = found_.pending;
    outcome.approval = found_.approval;
    outcome.backup = found_.backup;
    outcome.backup_accepted = found_.backup_accepted;
    outcome.backup_error = found_.backup_error;
    outcome.job = found_.job;
    if (found_.snapshot || !found_.image.empty()) {
      outcome.source = SourceStatus{std::string(given_.resource.spec.source.kind()),
                                    found_.snapshot ? found_.snapshot->revision() : found_.image,
                                    format_iso8601(given_.parts.clock.wall_now())};
      outcome.source_doubt = found_.source_doubt;
    }
    if (!outcome.repeated) {  // the status keeps the plan that failed
      outcome.plan = found_.plan;
      outcome.plan_hash = found_.plan ? approval_hash(found_.plan->hash, found_.scope) : std::string();
      outcome.destructive = found_.destructive;
    }
  }

  ReconcileContext given_;
  Findings found_;
  JobReconcile jobs_;
};

Outcome Reconciler::reconcile(const DatabaseMigration& resource, const std::string& claimed_by, const ReconcileNotes& notes,
                              const StopToken& stop, const Log& log) {
  ReconcileMemory memory = recall(resource.key());
  Outcome outcome = Run({parts_, resource, memory, notes, stop, log}).perform(claimed_by);
  remember(resource.key(), std::move(memory));
  return outcome;
}

ReconcileMemory Reconciler::recall(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  return std::exchange(memories_[key], ReconcileMemory{});
}

void Reconciler::remember(const ResourceKey& key, ReconcileMemory memory) {
  const std::lock_guard lock(mutex_);
  memories_[key] = std::move(memory);
}

void Reconciler::forget(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  memories_.erase(key);
}

}  // namespace athanor::controller
