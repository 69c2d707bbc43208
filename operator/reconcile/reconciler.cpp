#include "operator/reconcile/reconciler.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "migrations/graph/target_position.hpp"
#include "operator/api/status_limits.hpp"
#include "operator/reconcile/baseline.hpp"
#include "operator/reconcile/database_policies.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/drift_watch.hpp"
#include "operator/reconcile/job_reconcile.hpp"
#include "operator/reconcile/job_run.hpp"
#include "operator/reconcile/plan_lint.hpp"
#include "operator/reconcile/preflight.hpp"
#include "operator/reconcile/resource_words.hpp"
#include "operator/reconcile/run_progress.hpp"
#include "operator/reconcile/source_check.hpp"

namespace athanor::controller {
namespace {

// Identifies what a failure belongs to. The plan is not worth running again until one of these changes.
std::string fingerprint(const DatabaseMigration& resource, const DatabaseTarget& target, const Plan& plan) {
  return sha256_hex(plan.hash + '\n' + std::to_string(resource.metadata.generation) + '\n' + retry_annotation(resource) + '\n' +
                    target.url);
}

ShortDigest verification_of(const SourceSnapshot& snapshot, const std::vector<std::string>& heads) {
  return sha256_short(snapshot.id() + "@" + heads_text(heads, ", "));
}

Verdict applied(const ReconcileContext& context, ExecutionReport report, Direction direction, bool from_nothing) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::Done;
  verdict.reason = Reason::Applied;
  const std::string at = heads_text(report.current_heads.value_or(std::vector<std::string>()), ", ");
  verdict.message = "the database is at " + at + " after " + (direction == Direction::Upgrade ? "an upgrade" : "a downgrade") +
                    " of " + count_of_revisions(report.executed.size());
  if (from_nothing && !context.resource.spec.baseline.empty()) {
    verdict.message += "; spec.baseline.revision did not apply: the database had no tables, or already had a version table";
  }
  context.log.info("migration applied", {{"revisions", report.executed.size()},
                                         {"at", at},
                                         {"runID", report.run_id},
                                         {"seconds", std::chrono::duration<double>(report.duration).count()}});
  verdict.report = std::move(report);
  return verdict;
}

}  // namespace

// One reconcile. Only act() and finish_job() write `observed_` and `review_`, as facts become known, so that a reconcile that
// ends early still reports them. Everything else takes and returns values.
class Reconciler::Run {
 public:
  explicit Run(const ReconcileContext& context) : context_(context) {}

  Outcome perform(const std::string& claimed_by) {
    auto early = decide_early(context_.resource, claimed_by);
    if (early && !job_may_be_running(context_)) {
      return {verdict_from(std::move(*early)), {}, {}};
    }
    if (context_.stop.requested()) {
      return {verdict_of(Error(ErrorCode::Interrupted, "the operator is stopping")), {}, {}};
    }
    RunProgress progress(context_.parts.clock, context_.parts.observer, context_.log,
                         [this](const Plan&, const RunState& run) { report_progress(run); });
    auto reached = early ? finish_job(std::move(*early), claimed_by, progress) : act(progress);
    Verdict verdict = in_words(reached ? std::move(*reached) : verdict_of(std::move(reached).error()));
    if (verdict.requeued) {
      return {std::move(verdict), {}, {}};
    }
    // Query the lock's holders only in the next reconcile after a held lock: the query is not needed otherwise.
    context_.memory.met_lock = verdict.reason == Reason::LockHeld;
    if (verdict.blockers.empty()) {
      verdict.blockers = progress.holders();
    }
    if (verdict.reason == Reason::LockHeld && !verdict.blockers.empty()) {
      verdict.message = lock_message("the migration lock", verdict.blockers);
    }
    hide_what_was_read(verdict);
    if (verdict.kind == Verdict::Kind::Done && context_.parts.plan_texts != nullptr) {  // no plan is waiting for approval
      context_.parts.plan_texts->remove(context_.resource);
    }
    if (verdict.repeated || verdict.keeps_plan) {
      review_.reset();
    }
    const bool rests = verdict.kind == Verdict::Kind::Done || verdict.kind == Verdict::Kind::Stalled;
    const auto next_check = next_drift_check(context_);
    if (rests && !early && !verdict.requeue_after && next_check && next_check->count() > 0) {  // 0: it was due but not possible
      verdict.requeue_after = next_check;
    }
    return {std::move(verdict), std::move(observed_), std::move(review_)};
  }

 private:
  // Load the source, observe the database, decide, plan, preflight, execute. An error ends the reconcile where it occurs.
  Result<Verdict> act(RunProgress& progress) {
    ObservedJob job;
    // A Job of this resource comes first: while it runs, nothing else may touch the database.
    if (job_may_be_running(context_)) {
      if (auto running = find_job(job, {}, progress)) {
        return std::move(*running);
      }
    }
    // Taken before the reads, so that inputs_hold() rather reads again than trusts an old read.
    observed_.read_at = context_.parts.clock.steady_now();
    if (!context_.resource.spec.source.image) {
      TRY(load_source());
      if (auto outdated = wait_for_source(context_.resource, *observed_.snapshot)) {
        return observed_.source_error ? Result<Verdict>(fail(*observed_.source_error)) : std::move(*outdated);
      }
    }
    OpenDatabase database;
    TRY_ASSIGN(database.target, make_target(context_.resource, context_.parts.credentials));
    database.target.stop = context_.stop;
    use_target(database.target, progress);
    notice_target(database.target);
    TRY_ASSIGN(database.location.described, context_.parts.databases.describe(database.target));
    // Ask before connecting: workers that wait for one slow server would block all other resources.
    if (context_.parts.has_room && !context_.parts.has_room(context_.resource, database.location)) {
      Verdict verdict;
      verdict.kind = Verdict::Kind::Waiting;
      verdict.requeued = true;
      if (!doubt_.empty() && context_.callbacks.outdated) {  // its turn may come late
        TRY(context_.callbacks.outdated(observed_, doubt_));
      }
      return verdict;
    }
    TRY_ASSIGN(database.access, context_.parts.databases.open(database.target, progress));
    Situation situation;
    TRY_ASSIGN(situation.database, observe(database));
    database.location.identity = situation.database.identity;
    observed_.database_id = database_id(database.location);
    // Decide claims by the server's identity, not by the declared name: two names may lead to the same table.
    auto contested = decide_early(context_.resource, claimed_by(database.location));
    // StalePlan makes the controller reconcile again immediately, then with the stricter policies.
    if (!policy_holds(context_)) {  // only now are the other resources of this database known
      return fail(Error(ErrorCode::StalePlan, "the operator or other resources on this database require a stricter policy"));
    }
    // A contested database is not touched, but the end of an earlier Job must still be reported.
    if (contested && !has_unreported_end(context_, job)) {
      return verdict_from(std::move(*contested));
    }
    observed_.current_heads = situation.database.current_heads;
    TRY(report_job(job, *database.access));
    if (contested) {
      return verdict_from(std::move(*contested));
    }
    if (!observed_.snapshot) {
      TRY_ASSIGN(database.approval_scope, approval_scope_of(database));
      // It is not known yet what the pod will run.
      check_for_drift_now(*database.access, context_.resource.spec.policy.drift == DriftPolicy::Block);
      return take_step(JobReconcile(context_, job, observed_, database).run_image(situation.database.unfinished));
    }
    TRY_ASSIGN(Decision decision, decide_here(situation, *database.access));
    TRY(apply_baseline(context_.resource, situation, *database.access, decision));
    if (decision.kind == Decision::Kind::UpToDate) {
      // Also when nothing is pending: a changed file of an applied revision must be reported.
      TRY(verify(*database.access, nullptr));
      observed_.pending.emplace();
      if (const auto run = job.unreported_run(); run && job.last.kind == JobState::Kind::Succeeded) {
        check_for_drift_now(*database.access, true);
        return applied(context_, run->report, run->direction, run->from.empty());
      }
    }
    // Always compare before a run, because policy.drift may block it.
    check_for_drift_now(*database.access, decision.kind == Decision::Kind::Apply);
    if (decision.kind != Decision::Kind::Apply && decision.kind != Decision::Kind::Plan) {
      return verdict_from(std::move(decision));
    }
    return plan_and_run(decision, job, database, progress);
  }

  // For a resource whose database must not be touched. Starts nothing, but follows an earlier Job to its end: the status must
  // not say that a database is untouched while a Job is changing it.
  Result<Verdict> finish_job(Decision early, const std::string& claimed_by, RunProgress& progress) {
    if (context_.parts.jobs == nullptr) {
      return verdict_from(std::move(early));
    }
    ObservedJob job;
    if (auto running = find_job(job, claimed_by, progress)) {
      return std::move(*running);
    }
    if (has_unreported_end(context_, job)) {
      TRY_ASSIGN(const DatabaseTarget target, make_target(context_.resource, context_.parts.credentials));
      use_target(target, progress);
      TRY_ASSIGN(auto access, context_.parts.databases.open(target, progress));
      TRY_ASSIGN(const Observation database, access->observe());
      observed_.current_heads = database.current_heads;
      TRY(report_job(job, *access));
    }
    return verdict_from(std::move(early));
  }

  void check_for_drift_now(DatabaseAccess& access, bool now) {
    if (auto seen = check_for_drift(context_, access, now ? DriftCheckTime::Now : DriftCheckTime::WhenDue)) {
      observed_.drift = std::move(seen);
    }
  }

  // Returns the verdict while a Job runs, or when Jobs cannot be queried; nullopt: `job` has ended, or there is none.
  std::optional<Result<Verdict>> find_job(ObservedJob& job, const std::string& claimed_by, RunProgress& progress) {
    auto found = observe_job(context_);
    if (!found) {
      return found.error().code == ErrorCode::PolicyRefused ? Result<Verdict>(not_started(std::move(found).error()))
                                                            : Result<Verdict>(fail(std::move(found).error()));
    }
    job = std::move(*found);
    observed_.job = job.status;
    if (job.last.kind != JobState::Kind::Running) {
      return std::nullopt;
    }
    auto running = follow_job(context_, job.last, claimed_by, progress);
    if (!running) {
      return Result<Verdict>(fail(std::move(running).error()));
    }
    observed_.job = std::move(running->status);
    observed_.job_progress = std::move(running->progress);
    observed_.current_heads = std::move(running->current_heads);
    return Result<Verdict>(std::move(running->verdict));
  }

  Result<void> report_job(ObservedJob& job, DatabaseAccess& access) {
    TRY_ASSIGN(job, report_ended_job(context_, std::move(job), access, *observed_.current_heads));
    observed_.job = job.status;
    observed_.job_run = job.unreported_run();
    return {};
  }

  Result<void> load_source() {
    TRY_ASSIGN(auto loaded, context_.parts.sources.load(context_.resource));
    if (!loaded.snapshot) {
      observed_.source_revision = std::move(loaded.unusable_revision);
      return fail(std::move(*loaded.doubt));
    }
    observed_.snapshot = std::move(loaded.snapshot);
    observed_.files = observed_.snapshot;
    observed_.source_revision = observed_.snapshot->revision();
    observed_.source_files = static_cast<std::int64_t>(observed_.snapshot->graph().size());
    observed_.source_error = std::move(loaded.doubt);
    if (observed_.source_error) {
      context_.log.warn("source unavailable; using the last snapshot", error_fields(*observed_.source_error));
    }
    TRY(check_source(context_.resource, *observed_.snapshot));
    if (!observed_.source_error && source_is_new()) {
      doubt_status("the source changed" + (observed_.source_revision->empty() ? "" : " to " + *observed_.source_revision) +
                   "; the database has not been compared with it yet");
    }
    return {};
  }

  void use_target(const DatabaseTarget& target, RunProgress& progress) {
    hidden_ = target.hidden;
    progress.set_hidden(target.hidden);
  }

  void hide_what_was_read(Verdict& verdict) const {
    if (hidden_.empty()) {
      return;
    }
    verdict.message = hidden_.hide(std::move(verdict.message));
    if (verdict.error) {
      verdict.error = hidden_.hide(std::move(*verdict.error));
    }
    for (auto& blocker : verdict.blockers) {
      blocker = hidden_.hide(std::move(blocker));
    }
    if (verdict.report) {
      verdict.report->failed_statement = hidden_.hide(std::move(verdict.report->failed_statement));
      if (verdict.report->error) {
        verdict.report->error = hidden_.hide(std::move(*verdict.report->error));
      }
    }
  }

  // Also when only the password changed: the user who changed it waits for the result.
  void notice_target(const DatabaseTarget& target) {
    const ShortDigest now = sha256_short(target.url);
    const ShortDigest before = std::exchange(context_.memory.target, now);
    if (before != ShortDigest{} && before != now) {
      doubt_status("the connection to the database changed and has not been tried yet");
    }
  }

  // On an authentication failure, read the password once more: the rejected one may come from a cached read for earlier
  // reconciles.
  Result<Observation> observe(const OpenDatabase& database) const {
    auto observation = database.access->observe();
    if (observation || observation.error().code != ErrorCode::AuthenticationFailed) {
      return observation;
    }
    DatabaseMigration anew = context_.resource;
    anew.known_since = SteadyTime::max();
    TRY_ASSIGN(const DatabaseTarget renewed, make_target(anew, context_.parts.credentials));
    return renewed.url == database.target.url
               ? std::move(observation)
               : fail(Error(ErrorCode::StalePlan, "the credentials changed while they were in use"));
  }

  // Returns the other resource that owns the database; empty: none. The server's identity decides which database it is.
  [[nodiscard]] std::string claimed_by(const DatabaseLocation& location) const {
    return context_.parts.claim ? context_.parts.claim(context_.resource, location) : std::string();
  }

  // Computed only for a plan: most reconciles have none and need not parse the URL.
  [[nodiscard]] Result<std::string> approval_scope_of(const OpenDatabase& database) const {
    ConnectionKeywords keywords;
    if (context_.parts.connection_keywords) {
      TRY_ASSIGN(keywords, context_.parts.connection_keywords(database.target.url));
    }
    return approval_scope(context_.resource, database.location, keywords);
  }

  // After a rollback of the source, the database has revisions that are in no file. From here on the graph is extended with
  // what the ledger recorded of them.
  Result<void> complete_source(Situation& situation, DatabaseAccess& access) {
    const RevisionGraph& files = observed_.snapshot->graph();
    const auto unknown = unknown_heads(files, situation.database.current_heads);
    if (unknown.empty()) {
      return {};
    }
    // Even if the ledger has the whole line down to base, no file continues from a squashed revision.
    if ((situation.squashed = find_squashed_line(files, observed_.snapshot->source(), unknown))) {
      situation.squashed->path = observed_.snapshot->place_of(situation.squashed->path);
      return {};
    }
    TRY_ASSIGN(RecordedLineage lineage, access.recorded_lineage(files, unknown));
    if (lineage.complete()) {
      situation.files = &observed_.files->graph();
      TRY_ASSIGN(observed_.snapshot, complete_from_ledger(observed_.files, std::move(lineage.revisions)));
    }
    return {};
  }

  Result<Decision> decide_here(Situation& situation, DatabaseAccess& access) {
    TRY(complete_source(situation, access));
    situation.graph = &observed_.snapshot->graph();
    if (context_.memory.met_lock) {
      TRY_ASSIGN(situation.lock_holders, access.lock_holders());
    }
    Decision decision = decide(context_.resource, situation);
    observed_.resolved = decision.resolved;
    if (decision.kind == Decision::Kind::Wait && !decision.pending.empty()) {
      observed_.pending = decision.pending;
    }
    if (observed_.source_error && decision.kind != Decision::Kind::UpToDate && decision.kind != Decision::Kind::Wait) {
      // Never act on an old snapshot: its revisions may have been removed from the source, and missing ones may exist by now.
      observed_.pending = decision.pending;
      return fail(*observed_.source_error);
    }
    return decision;
  }

  Result<Verdict> plan_and_run(const Decision& decision, const ObservedJob& job, OpenDatabase& database,
                               RunProgress& progress) {
    observed_.pending = decision.pending;
    TRY_ASSIGN(database.approval_scope, approval_scope_of(database));
    TRY_ASSIGN(auto plan, observed_.snapshot->plan(decision.direction, *observed_.current_heads, decision.targets));
    observed_.pending = ids_of(*plan);
    auto destructive = destructive_statements(*plan);
    review_ = review_plan(context_, std::move(plan), std::move(destructive), database.approval_scope);
    TRY(verify(*database.access, review_->plan.get()));
    TRY_ASSIGN(review_->lint, lint_if_required(context_, *review_->plan, *observed_.snapshot, *database.access));
    review_->lint_is_new = !shows_lint(context_.resource.status, *review_);
    if (decision.kind == Decision::Kind::Plan) {
      return published(*review_->plan);
    }
    // A stamp executes nothing from the source. It writes two rows and needs no pod.
    if (context_.resource.spec.execution.mode == ExecutionMode::Job && decision.direction != Direction::Stamp) {
      return take_step(JobReconcile(context_, job, observed_, database).run(*review_));
    }
    return run_in_process(database, progress);
  }

  Verdict take_step(JobStep step) {
    if (step.image_read) {
      observed_.source_revision = context_.resource.spec.source.image->reference;
      observed_.pending = step.review ? ids_of(*step.review->plan) : std::vector<std::string>{};
    }
    if (step.started) {
      observed_.job = std::move(step.started);
    }
    review_ = std::move(step.review);
    return std::move(step.verdict);
  }

  Result<Verdict> run_in_process(OpenDatabase& database, RunProgress& progress) {
    const std::string attempt = fingerprint(context_.resource, database.target, *review_->plan);
    // The same plan failed permanently under the same declaration: repeat the verdict instead of running the plan at every
    // resync.
    if (context_.memory.failed && context_.memory.failed->attempt == attempt) {
      return context_.memory.failed->verdict;
    }
    context_.memory.failed.reset();
    Preflight preflight = check_may_run(context_, observed_, database, std::move(*review_));
    review_ = std::move(preflight.review);
    if (preflight.held) {
      return std::move(*preflight.held);
    }
    const Plan& plan = *review_->plan;
    ExecutionReport report = execute(database, *review_, progress);
    observed_.current_heads = report.current_heads;
    observed_.rows_unknown = !report.current_heads;
    if (observed_.rows_unknown) {
      observed_.pending.reset();
    } else {
      std::erase_if(*observed_.pending, [&](const std::string& id) {
        return std::ranges::find(report.executed, id, &ExecutedRevision::revision) != report.executed.end();
      });
    }
    if (report.ok() && plan.operation == Direction::Stamp) {
      observed_.pending.reset();  // the next reconcile computes them from there
      return taken_over(context_.resource, std::move(report));
    }
    if (report.ok()) {
      // The run itself wrote the checksums of these files.
      context_.memory.verified = verification_of(*observed_.snapshot, *observed_.current_heads);
      observed_.pending.emplace();
      check_for_drift_now(*database.access, true);  // compares with the catalog that the run recorded
      return applied(context_, std::move(report), plan.operation, plan.from.empty());
    }
    Verdict verdict = failed_run(std::move(report));
    if (verdict.kind == Verdict::Kind::Stalled) {
      remember_failure(verdict, plan, database.target, attempt);
    }
    return verdict;
  }

  // While a run waits for its lock, any change of the declaration ends it. Once it has begun, it ends at its next safe point,
  // and only when the resource is suspended or deleted.
  ExecutionReport execute(const OpenDatabase& database, const PlanReview& review, RunProgress& progress) const {
    context_.log.info("migration started", {{"direction", direction_name(review.plan->operation)},
                                            {"from", heads_text(review.plan->from, ", ")},
                                            {"to", heads_text(review.plan->to, ", ")},
                                            {"revisions", review.plan->revisions.size()},
                                            {"plan", review.plan->hash}});
    std::atomic<bool> withdrawn{false};
    progress.set_checkpoint([&](bool begun) {
      const bool goes_on =
          begun ? declaration_state(context_) != DeclarationState::Withdrawn : may_begin(context_, review).has_value();
      if (!goes_on) {
        withdrawn.store(true);
      }
    });
    // The check runs with the migration lock held, before anything is changed: what was true before the wait for the lock may
    // have changed.
    ExecutionReport report = database.access->execute(*review.plan, context_.stop.or_once(withdrawn), [&]() -> Result<void> {
      TRY(may_begin(context_, review));
      return inputs_hold(context_, observed_, database);
    });
    progress.set_checkpoint({});
    if (report.lock_waited > milliseconds(0)) {
      context_.parts.observer.lock_waited(std::chrono::duration<double>(report.lock_waited).count());
    }
    return report;
  }

  [[nodiscard]] Verdict failed_run(ExecutionReport report) const {
    Verdict verdict = verdict_of(*report.error);
    // The operator is not stopping, so the declaration ended the run. Reconcile the new one immediately.
    if (verdict.reason == Reason::Interrupted && !context_.stop.requested()) {
      verdict.message = "the run was stopped because its declaration was withdrawn; " + verdict.message;
      verdict.requeue_after = milliseconds(1);
    }
    verdict.blockers = report.blockers;
    if (verdict.reason == Reason::StatementFailed) {
      verdict.message = failed_statement_in_words(*verdict.error, report, review_->plan.get(), observed_.snapshot.get());
    }
    if (verdict.kind == Verdict::Kind::Stalled || (verdict.kind == Verdict::Kind::Failed && !verdict.retry_now)) {
      context_.parts.observer.run_failed(verdict.reason);
    }
    // A run that found the lock held before its first statement leaves no history entry.
    if (!report.executed.empty() || !report.failed_revision.empty()) {
      verdict.report = std::move(report);
    }
    return verdict;
  }

  void remember_failure(const Verdict& verdict, const Plan& plan, const DatabaseTarget& target, std::string failed_at) {
    // Revisions applied before the failure moved the starting point, so the next plan is a different one with a different
    // fingerprint.
    if (verdict.report && !verdict.report->executed.empty()) {
      if (!observed_.current_heads) {
        return;  // the start of the next plan is unknown
      }
      const auto rest = observed_.snapshot->plan(plan.operation, *observed_.current_heads, {plan.target});
      if (!rest) {
        return;
      }
      failed_at = fingerprint(context_.resource, target, **rest);
    }
    context_.memory.failed =
        std::make_unique<ReconcileMemory::FailedPlan>(ReconcileMemory::FailedPlan{std::move(failed_at), verdict});
    context_.memory.failed->verdict.repeated = true;
  }

  // Compares the files of applied revisions with the ledger, once per content of the source and heads of the database.
  Result<void> verify(DatabaseAccess& access, const Plan* plan) {
    const auto& heads = *observed_.current_heads;
    const ShortDigest verification = verification_of(*observed_.snapshot, heads);
    if (heads.empty() || context_.memory.verified == verification) {
      return {};
    }
    TRY(access.verify_checksums(*observed_.snapshot, heads, plan));
    context_.memory.verified = verification;
    return {};
  }

  [[nodiscard]] Verdict in_words(Verdict verdict) const {
    if (verdict.error) {
      const std::string before = verdict.error->describe();
      verdict.error = in_resource_words(context_.resource, std::move(*verdict.error),
                                        !context_.parts.credentials.shares_process_environment());
      if (const auto at = verdict.message.find(before); at != std::string::npos) {
        verdict.message.replace(at, before.size(), verdict.error->describe());
      }
    }
    return verdict;
  }

  void report_progress(const RunState& run) const {
    if (!context_.callbacks.running || !review_) {
      return;
    }
    if (!run.wait || hidden_.empty()) {
      context_.callbacks.running(*review_, observed_, run);
      return;
    }
    RunState shown = run;
    for (auto& holder : shown.wait->holders) {
      holder = hidden_.hide(std::move(holder));
    }
    context_.callbacks.running(*review_, observed_, shown);
  }

  // Call it when something was observed that the status does not show.
  void doubt_status(std::string message) {
    doubt_ = std::move(message);
    if (context_.callbacks.outdated_soon) {
      context_.callbacks.outdated_soon(observed_, doubt_);
    }
  }

  // Whether the status describes another content of the source, or says that there is none. Changes of a source without
  // versions are visible in the plan.
  [[nodiscard]] bool source_is_new() const {
    const DatabaseMigrationStatus& status = context_.resource.status;
    const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
    const bool was_bad =
        ready != nullptr && (ready->reason == Reason::SourceInvalid || ready->reason == Reason::SourceNotFound);
    return was_bad ||
           (status.source && !observed_.source_revision->empty() && !shows_source_revision(status, *observed_.source_revision));
  }

  ReconcileContext context_;
  Observed observed_;
  std::optional<PlanReview> review_;
  HiddenValues hidden_;  // read for the connection
  std::string doubt_;    // what differs from the status and has not been handled; empty: nothing known
};

Outcome Reconciler::reconcile(const DatabaseMigration& resource, const std::string& claimed_by,
                              const ReconcileCallbacks& callbacks, const StopToken& stop, const Log& log) {
  ReconcileMemory memory = recall(resource.key());
  Outcome outcome = Run({parts_, resource, memory, callbacks, stop, log}).perform(claimed_by);
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
