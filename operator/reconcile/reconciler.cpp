#include "operator/reconcile/reconciler.hpp"

#include <utility>

#include "migrations/base/sha256.hpp"
#include "operator/reconcile/job_run.hpp"
#include "operator/reconcile/run_progress.hpp"

namespace athanor::controller {
namespace {

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

std::string retry_now(const DatabaseMigration& resource) {
  const auto retry = resource.metadata.annotations.find(kRetryNowAnnotation);
  return retry == resource.metadata.annotations.end() ? std::string() : retry->second;
}

// What a failure belongs to: nothing but a change of one of these makes the plan worth running again.
std::string fingerprint(const DatabaseMigration& resource, const DatabaseTarget& target, const Plan& plan) {
  return sha256_hex(plan.hash + '\n' + std::to_string(resource.metadata.generation) + '\n' + retry_now(resource) + '\n' +
                    target.url);
}

}  // namespace

// The life of one reconcile, from what is known to the outcome.
class Reconciler::Run {
 public:
  Run(ReconcilerParts& parts, const DatabaseMigration& resource, Memory& memory, const StopToken& stop, const Log& log)
      : parts_(parts), resource_(resource), memory_(memory), stop_(stop), log_(log) {}

  Outcome perform(const std::string& claimed_by, const ReconcileNotes& notes) {
    if (auto early = decide_early(resource_, claimed_by)) {
      return from_decision(std::move(*early));
    }
    if (stop_.requested()) {
      return outcome_of(Error(ErrorCode::Interrupted, "the operator is stopping"));
    }
    notes_ = &notes;
    RunProgress sink(parts_.clock, parts_.observer, log_, notes.running);
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
  [[nodiscard]] bool in_job() const { return resource_.spec.execution.mode == ExecutionMode::Job; }

  Result<Outcome> look_and_act(RunProgress& sink) {
    if (in_job()) {
      TRY_ASSIGN(last_job_, newest_job());
      if (last_job_.kind == JobState::Kind::Running) {
        return watch_job(sink);
      }
    }
    if (!resource_.spec.source.image) {
      TRY_ASSIGN(auto loaded, parts_.sources.load(resource_));
      snapshot_ = std::move(loaded.snapshot);
      source_doubt_ = std::move(loaded.doubt);
      if (source_doubt_) {
        log_.warn("the source cannot be looked at; judged by what it held last", error_fields(*source_doubt_));
      }
    }
    TRY_ASSIGN(target_, make_target(resource_, parts_.credentials));
    TRY_ASSIGN(const bool claimed, claimed_elsewhere());
    if (claimed) {
      return from_decision(std::move(*decide_early(resource_, claimed_by_)));
    }
    TRY_ASSIGN(auto access, parts_.databases.open(target_, sink));
    Situation situation;
    TRY_ASSIGN(situation.database, observe(*access));
    rows_ = situation.database.rows;
    if (last_job_.has_ended()) {
      TRY(tell_job(*access));
    }
    if (!snapshot_) {
      return run_image_job();
    }
    situation.graph = &snapshot_->graph();
    if (memory_.met_lock) {
      TRY_ASSIGN(situation.lock_holders, access->lock_holders());
    }
    Decision decision = decide(resource_, situation);
    resolved_ = decision.resolved;
    if (source_doubt_ && decision.kind != Decision::Kind::UpToDate && decision.kind != Decision::Kind::Wait) {
      // What is to be done may have been taken back meanwhile, what is missing may be there.
      pending_ = decision.pending;
      return fail(*source_doubt_);
    }
    if (decision.kind == Decision::Kind::UpToDate) {
      TRY(verify(*access, nullptr));
      pending_.emplace();
      if (job_is_news_ && last_job_.kind == JobState::Kind::Succeeded && told_run()) {
        return applied(told_run()->report, told_run()->direction);
      }
    }
    if (decision.kind != Decision::Kind::Apply && decision.kind != Decision::Kind::Plan) {
      return from_decision(std::move(decision));
    }
    return plan_and_execute(*access, std::move(decision));
  }

  // Credentials that were refused may have been replaced since they were read, for somebody else: they are read once more.
  Result<Observation> observe(DatabaseAccess& access) {
    auto seen = access.observe();
    if (seen || seen.error().code != ErrorCode::AuthenticationFailed) {
      return seen;
    }
    DatabaseMigration anew = resource_;
    anew.known_since = SteadyTime::max();
    TRY_ASSIGN(const DatabaseTarget renewed, make_target(anew, parts_.credentials));
    return renewed.url == target_.url ? std::move(seen)
                                      : fail(Error(ErrorCode::StalePlan, "the credentials changed while they were used"));
  }

  Result<Outcome> plan_and_execute(DatabaseAccess& access, Decision decision) {
    pending_ = decision.pending;
    TRY_ASSIGN(plan_, snapshot_->plan(decision.direction, *rows_, decision.targets));
    pending_ = ids_of(*plan_);
    TRY(verify(access, plan_.get()));
    destructive_ = destructive_statements(*plan_);
    if (decision.kind == Decision::Kind::Plan) {
      return published();
    }
    return in_job() ? run_job() : run_here(access);
  }

  [[nodiscard]] Outcome published() const {
    Outcome outcome;
    outcome.kind = Outcome::Kind::Done;
    outcome.reason = Reason::PlanPublished;
    outcome.message = "dry run: " + count_of_revisions(plan_->revisions.size()) + " to " +
                      std::string(direction_name(plan_->operation)) + ", nothing is run";
    return outcome;
  }

  Result<Outcome> run_here(DatabaseAccess& access) {
    const std::string attempt = fingerprint(resource_, target_, *plan_);
    if (memory_.failed && memory_.failed->attempt == attempt) {
      return memory_.failed->outcome;
    }
    memory_.failed.reset();
    if (auto not_yet = pass_gate_and_back_up()) {
      return std::move(*not_yet);
    }
    return execute(access, attempt);
  }

  // An outcome when nothing may run now.
  std::optional<Outcome> pass_gate_and_back_up() {
    if (auto closed = pass_gate()) {
      return closed;
    }
    return back_up();
  }

  // Whether another resource has the database; asked once it is known where that is.
  Result<bool> claimed_elsewhere() {
    if (!parts_.claim) {
      return false;
    }
    TRY_ASSIGN(const std::string described, parts_.databases.describe(target_));
    claimed_by_ = parts_.claim(resource_, described);
    return !claimed_by_.empty();
  }

  // An outcome when the gate is closed.
  std::optional<Outcome> pass_gate() {
    const auto approvals = parts_.approvals == nullptr ? std::vector<Approval>{} : parts_.approvals->approvals(resource_.key());
    GateVerdict verdict = controller::pass_gate(resource_, *plan_, destructive_, approvals, parts_.clock.wall_now());
    approval_ = verdict.approval;
    if (verdict.open) {
      return std::nullopt;
    }
    Outcome outcome;
    outcome.kind = verdict.error ? Outcome::Kind::Stalled : Outcome::Kind::Waiting;
    outcome.reason = verdict.reason;
    outcome.message = std::move(verdict.message);
    outcome.error = std::move(verdict.error);
    outcome.look_again = verdict.look_again;
    return outcome;
  }

  // An outcome when there is no backup and there must be one.
  std::optional<Outcome> back_up() {
    if (!needs_backup(resource_.spec.backup, destructive_)) {
      return std::nullopt;
    }
    auto taken =
        parts_.backups == nullptr
            ? fail(Error(ErrorCode::BackupRefused, "this operator cannot take backups").advise("start it with --backup-root"))
            : parts_.backups->ensure(resource_, target_, *rows_, notes_->backing_up, stop_);
    if (taken) {
      backup_ = std::move(*taken);
      log_.info("backup taken", {{"location", backup_->location}, {"bytes", backup_->size_bytes}});
      return std::nullopt;
    }
    if (!resource_.spec.backup.required && taken.error().code != ErrorCode::Interrupted) {
      log_.warn("no backup; it is not required", error_fields(taken.error()));
      return std::nullopt;
    }
    Outcome outcome = outcome_of(std::move(taken).error());
    if (outcome.kind != Outcome::Kind::Waiting) {
      outcome.reason = Reason::BackupFailed;
    }
    return outcome;
  }

  Result<JobState> newest_job() {
    if (parts_.jobs == nullptr) {
      return fail(Error(ErrorCode::Configuration, "this operator cannot create Jobs")
                      .advise("set spec.execution.mode to InProcess, or start the operator with --job-image"));
    }
    return parts_.jobs->newest(resource_);
  }

  // While a Job of this resource has not ended nothing else happens, whatever it was started for.
  Outcome watch_job(RunProgress& sink) {
    job_ = JobStatus{last_job_.name, "Running"};
    Outcome outcome = waiting_for(last_job_);
    const bool of_this_spec = last_job_.generation == resource_.metadata.generation;
    if (const auto seen = of_this_spec ? look_at_progress(sink, outcome) : Result<void>(); !seen) {
      log_.debug("how far the job is cannot be seen", error_fields(seen.error()));
    }
    return outcome;
  }

  // A look with a connection of its own that takes no lock. The cluster wakes the resource seldom enough.
  Result<void> look_at_progress(RunProgress& sink, Outcome& outcome) {
    TRY_ASSIGN(target_, make_target(resource_, parts_.credentials));
    TRY_ASSIGN(auto access, parts_.databases.open(target_, sink));
    TRY_ASSIGN(const Observation database, access->observe());
    rows_ = database.rows;
    if (!last_job_.plan_hash.empty()) {
      TRY_ASSIGN(const auto ledger, access->ledger(ledger_rows_of(last_job_)));
      outcome.progress = progress_of(last_job_, ledger, database);
    }
    return {};
  }

  // Once for every Job that ended: history, metrics, and why it failed.
  Result<void> tell_job(DatabaseAccess& access) {
    job_ = JobStatus{last_job_.name, last_job_.kind == JobState::Kind::Succeeded ? "Succeeded" : "Failed"};
    if (!memory_.told || memory_.told->uid != last_job_.uid) {
      TRY_ASSIGN(const auto ledger, access.ledger(ledger_rows_of(last_job_)));
      memory_.told = std::make_unique<ToldJob>(last_job_.uid, run_of(last_job_, ledger, *rows_));
      job_is_news_ = resource_.status.job != job_;  // otherwise an operator before this one told it
    }
    if (!job_is_news_) {
      return {};
    }
    log_.info("job ended", {{"job", last_job_.name}, {"phase", job_->phase}});
    if (const auto run = told_run()) {
      for (const auto& executed : run->report.executed) {
        parts_.observer.revision_applied(executed.direction, std::chrono::duration<double>(executed.duration).count());
      }
    }
    if (last_job_.kind == JobState::Kind::Failed) {
      parts_.observer.run_failed(failure_of(last_job_, told_run().get()).reason);
    }
    return {};
  }

  // What a Job is asked for. Unlike in process, a password is no part of it: its digest would be there for all to see.
  [[nodiscard]] JobRequest job_request() const {
    JobRequest request;
    const std::string declared =
        std::to_string(resource_.metadata.generation) + '\n' + retry_now(resource_) + '\n' + without_password(target_.url);
    request.declaration = attempt_id(declared + '\n' + snapshot_->id());
    request.attempt = attempt_id(declared + '\n' + plan_->hash);
    request.plan = plan_.get();
    request.from = *rows_;
    request.source = snapshot_.get();
    return request;
  }

  // The revisions are in an image: what to do is known to the pod alone.
  [[nodiscard]] JobRequest image_request(JobRequest::Work work) const {
    const ImageSource& image = *resource_.spec.source.image;
    JobRequest request;
    request.work = work;
    request.declaration = attempt_id(image.reference + '\n' + image.path + '\n' + resource_.spec.target_revision + '\n' +
                                     std::to_string(resource_.metadata.generation) + '\n' + retry_now(resource_));
    request.attempt = request.declaration;
    if (work == JobRequest::Work::Plan) {
      request.attempt = attempt_id("plan\n" + request.declaration + '\n' + rows_text(*rows_, ","));
    } else if (plan_) {
      request.attempt = attempt_id(request.declaration + '\n' + plan_->hash);
    }
    request.plan = plan_.get();
    request.from = *rows_;
    return request;
  }

  // The outcome of a Job that failed at what is to be done now; empty when it is worth another attempt.
  std::optional<Outcome> stalled_job(const JobRequest& request) {
    if (!failed_at_this(last_job_, request, *rows_)) {
      return std::nullopt;
    }
    Outcome failure = failure_of(last_job_, told_run().get());
    if (may_try_again(last_job_, failure, parts_.clock.wall_now())) {
      return std::nullopt;
    }
    failure.repeated = !job_is_news_;
    if (const auto run = told_run()) {
      failure.report = run->report;
    }
    plan_.reset();  // the status keeps the plan that failed
    return failure;
  }

  Result<Outcome> run_job() {
    const JobRequest request = job_request();
    if (auto stalled = stalled_job(request)) {
      return std::move(*stalled);
    }
    if (last_job_.kind == JobState::Kind::Succeeded && last_job_.attempt == request.attempt && !told_run()) {
      // It says that it is done, and neither database nor ledger know of anything: the database is right.
      Outcome outcome =
          outcome_of(Error(ErrorCode::StalePlan, "Job " + last_job_.name + " ended, and the database is not at the target"));
      outcome.at_once = false;
      return outcome;
    }
    return start_when_allowed(request);
  }

  Result<Outcome> run_image_job() {
    const JobRequest wanted = image_request(JobRequest::Work::Migrate);
    for (const JobRequest& request : {wanted, image_request(JobRequest::Work::Plan)}) {
      if (auto stalled = stalled_job(request)) {
        return std::move(*stalled);
      }
    }
    if (is_done(wanted)) {
      pending_.emplace();
      return image_done("after Job " + last_job_.name);
    }
    return needs_plan(resource_.spec) ? run_planned_image() : start_job(wanted);
  }

  // Whether the last Job brought the database to the declared target, and it is there still.
  [[nodiscard]] bool is_done(const JobRequest& wanted) const {
    return last_job_.kind == JobState::Kind::Succeeded && last_job_.work == JobRequest::Work::Migrate &&
           last_job_.declaration == wanted.declaration && (!last_job_.report || last_job_.report->rows == *rows_);
  }

  Outcome image_done(const std::string& how) const {
    Outcome outcome;
    outcome.kind = Outcome::Kind::Done;
    outcome.reason = job_is_news_ && told_run() ? Reason::Applied : Reason::UpToDate;
    outcome.message = "the database is at " + rows_text(*rows_, ", ") + " " + how;
    return outcome;
  }

  // Two Jobs: one tells the plan, and once that may run, another is held to it.
  Result<Outcome> run_planned_image() {
    const JobRequest planning = image_request(JobRequest::Work::Plan);
    if (last_job_.kind != JobState::Kind::Succeeded || last_job_.attempt != planning.attempt) {
      return start_job(planning);
    }
    if (!last_job_.report || !last_job_.report->plan) {
      Outcome outcome = outcome_of(Error(ErrorCode::Internal, "Job " + last_job_.name + " ended without telling the plan"));
      outcome.reason = Reason::JobFailed;
      return outcome;
    }
    plan_ = plan_of(last_job_, resource_.spec.target_revision);
    destructive_ = last_job_.report->destructive;
    pending_ = ids_of(*plan_);
    if (plan_->empty()) {
      plan_.reset();
      return image_done("by the plan of Job " + last_job_.name);
    }
    if (resource_.spec.dry_run) {
      return published();
    }
    return start_when_allowed(image_request(JobRequest::Work::Migrate));
  }

  // What speaks against the Job is said before anybody approves of its plan and before a backup is taken.
  Result<Outcome> start_when_allowed(const JobRequest& request) {
    if (auto possible = parts_.jobs->check(resource_, request); !possible) {
      const bool too_large = possible.error().code == ErrorCode::FileTooLarge;
      Outcome outcome = outcome_of(std::move(possible).error());
      outcome.reason = too_large ? Reason::SourceTooLarge : outcome.reason;
      return outcome;
    }
    if (auto not_yet = pass_gate_and_back_up()) {
      return std::move(*not_yet);
    }
    return start_job(request);
  }

  Result<Outcome> start_job(const JobRequest& request) {
    TRY_ASSIGN(const JobState started, parts_.jobs->start(resource_, request));
    log_.info("job started", {{"job", started.name}});
    job_ = JobStatus{started.name, "Running"};
    return waiting_for(started);
  }

  Outcome execute(DatabaseAccess& access, const std::string& attempt) {
    log_.info("migration started", {{"direction", direction_name(plan_->operation)},
                                    {"from", rows_text(plan_->from, ", ")},
                                    {"to", rows_text(plan_->to, ", ")},
                                    {"revisions", plan_->revisions.size()},
                                    {"plan", plan_->hash}});
    ExecutionReport report = access.execute(*plan_, stop_);
    rows_ = report.rows;
    if (report.lock_waited > milliseconds(0)) {
      parts_.observer.lock_waited(std::chrono::duration<double>(report.lock_waited).count());
    }
    if (report.ok()) {
      memory_.verified = verification();  // the run wrote these checksums itself, from the snapshot's files
      return applied(std::move(report), plan_->operation);
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

  void remember_failure(const Outcome& outcome, std::string failed_at) {
    // What was applied before the failure changed the start: the next plan differs, so the fingerprint must be of that one.
    if (outcome.report && !outcome.report->executed.empty()) {
      const auto rest = snapshot_->plan(plan_->operation, *rows_, {plan_->target});
      if (!rest) {
        return;
      }
      failed_at = fingerprint(resource_, target_, **rest);
    }
    memory_.failed = std::make_unique<FailedPlan>(std::move(failed_at), outcome);
    memory_.failed->outcome.repeated = true;
    memory_.failed->outcome.plan.reset();
  }

  Outcome applied(ExecutionReport report, Direction direction) {
    Outcome outcome;
    outcome.kind = Outcome::Kind::Done;
    outcome.reason = Reason::Applied;
    const bool up = direction == Direction::Upgrade;
    outcome.message = "the database is at " + rows_text(report.rows, ", ") + " after " + (up ? "an upgrade" : "a downgrade") +
                      " of " + count_of_revisions(report.executed.size());
    pending_.emplace();
    log_.info("migration applied", {{"revisions", report.executed.size()},
                                    {"at", rows_text(report.rows, ", ")},
                                    {"runID", report.run_id},
                                    {"seconds", std::chrono::duration<double>(report.duration).count()}});
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

  [[nodiscard]] ShortDigest verification() const { return sha256_short(snapshot_->id() + "@" + rows_text(*rows_, ", ")); }

  // What the last Job that ended did, as it was told; null: nothing is known of it.
  [[nodiscard]] std::shared_ptr<const ToldRun> told_run() const { return memory_.told ? memory_.told->run : nullptr; }

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
    if (job_is_news_) {
      outcome.job_run = told_run();
    }
    outcome.rows = rows_;
    outcome.resolved = resolved_;
    outcome.pending = pending_;
    outcome.approval = approval_;
    outcome.backup = backup_;
    outcome.job = job_;
    if (snapshot_) {
      outcome.source = SourceStatus{std::string(resource_.spec.source.kind()), snapshot_->revision(),
                                    format_iso8601(parts_.clock.wall_now())};
      outcome.source_doubt = source_doubt_;
    }
    if (!outcome.repeated) {  // the status keeps the plan that failed
      outcome.plan = plan_;
      outcome.destructive = destructive_;
    }
  }

  ReconcilerParts& parts_;
  const DatabaseMigration& resource_;
  Memory& memory_;
  const StopToken& stop_;
  const Log& log_;
  std::shared_ptr<SourceSnapshot> snapshot_;
  std::optional<Error> source_doubt_;
  DatabaseTarget target_;
  std::optional<std::vector<std::string>> rows_;
  std::optional<std::vector<std::string>> resolved_;
  std::optional<std::vector<std::string>> pending_;
  std::shared_ptr<const Plan> plan_;
  std::vector<std::string> destructive_;
  std::string claimed_by_;
  std::optional<Approval> approval_;
  std::optional<BackupStatus> backup_;
  std::optional<JobStatus> job_;
  JobState last_job_;
  bool job_is_news_ = false;
  const ReconcileNotes* notes_ = nullptr;
};

Outcome Reconciler::reconcile(const DatabaseMigration& resource, const std::string& claimed_by, const ReconcileNotes& notes,
                              const StopToken& stop, const Log& log) {
  Memory memory = recall(resource.key());
  Outcome outcome = Run(parts_, resource, memory, stop, log).perform(claimed_by, notes);
  remember(resource.key(), std::move(memory));
  return outcome;
}

Reconciler::Memory Reconciler::recall(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  return std::exchange(memories_[key], Memory{});
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
