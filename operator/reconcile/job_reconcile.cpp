#include "operator/reconcile/job_reconcile.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/gate.hpp"
#include "operator/reconcile/job_run.hpp"
#include "operator/reconcile/plan_lint.hpp"
#include "operator/reconcile/preflight.hpp"
#include "operator/reconcile/resource_words.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kRunning = "Running";

bool approval_still_holds(const ReconcileContext& context) {
  const auto& given = context.resource.status.approval;
  if (context.resource.spec.policy.approval == ApprovalPolicy::Never || !given || context.parts.approvals == nullptr) {
    return true;
  }
  const auto consulted = consult_approvals(context);
  return count_approvals(consulted.approvals, given->plan_hash, context.resource.spec.policy.approvals,
                         context.parts.clock.wall_now())
      .passed();
}

// Returns why a Job that has not begun must not begin; empty when it may.
std::string reason_to_withdraw(const ReconcileContext& context, const JobState& job, const std::string& claimed_by) {
  const DatabaseMigration& resource = context.resource;
  if (resource.metadata.deleting) {
    return "the resource is being deleted";
  }
  if (resource.spec.suspend) {
    return "the resource is suspended";
  }
  if (!claimed_by.empty()) {
    return "the database is managed by " + claimed_by;
  }
  if (job.generation != resource.metadata.generation) {
    return "its declaration changed";
  }
  if (job.work == JobRequest::Work::Plan) {
    return {};  // it changes nothing, so neither window nor approval matters
  }
  if (!judge_windows(resource, context.parts.clock.wall_now()).open) {
    return "its maintenance window has closed";
  }
  return approval_still_holds(context) ? "" : "its approval was withdrawn, has expired, or no longer counts";
}

// Observes the database on a separate connection, without the lock. Job events are rare enough for that.
Result<void> observe_progress(const ReconcileContext& context, const DatabaseTarget& target, const JobState& job,
                              RunProgress& progress, RunningJob& running) {
  TRY_ASSIGN(auto access, context.parts.databases.open(target, progress));
  TRY_ASSIGN(const Observation database, access->observe());
  running.current_heads = database.current_heads;
  if (!job.plan_hash.empty()) {
    TRY_ASSIGN(const auto ledger, access->ledger(ledger_rows_of(job)));
    running.progress = progress_of(job, ledger, database);
  }
  return {};
}

void count_ended_job(const ReconcileContext& context, const ObservedJob& job) {
  context.log.info("job ended", {{"job", job.last.name}, {"phase", job.status->phase}});
  if (job.run) {
    for (const auto& executed : job.run->report.executed) {
      context.parts.observer.revision_applied(executed.direction, std::chrono::duration<double>(executed.duration).count());
    }
  }
  if (job.last.kind == JobState::Kind::Failed) {
    context.parts.observer.run_failed(failure_of(job.last, job.run.get()).reason);
  }
}

}  // namespace

bool job_may_be_running(const ReconcileContext& context) {
  const auto& shown = context.resource.status.job;
  return context.resource.spec.execution.mode == ExecutionMode::Job ||
         (context.parts.jobs != nullptr && shown && shown->phase == kRunning);
}

bool has_unreported_end(const ReconcileContext& context, const ObservedJob& job) {
  return job.last.has_ended() && context.resource.status.job && context.resource.status.job->phase == kRunning;
}

Result<ObservedJob> observe_job(const ReconcileContext& context) {
  if (context.parts.jobs == nullptr) {
    return fail(Error(ErrorCode::PolicyRefused, "this operator cannot create Jobs")
                    .advise("set spec.execution.mode to InProcess, or start the operator with --job-image"));
  }
  ObservedJob job;
  TRY_ASSIGN(job.last, context.parts.jobs->newest(context.resource));
  const auto& shown = context.resource.status.job;
  if (job.last.kind == JobState::Kind::Absent && shown && shown->phase == kRunning) {
    job.status = JobStatus{shown->name, "Deleted", shown->declaration};
  }
  return job;
}

Result<RunningJob> follow_job(const ReconcileContext& context, const JobState& job, const std::string& claimed_by,
                              RunProgress& progress) {
  RunningJob running;
  running.verdict = waiting_for(job);
  // A pod that has started may be changing the database and must run to its end.
  const bool may_be_withdrawn = !job.begun && !job.deleting;
  if (const std::string why = may_be_withdrawn ? reason_to_withdraw(context, job, claimed_by) : ""; !why.empty()) {
    TRY(context.parts.jobs->withdraw(context.resource, job));
    context.log.info("job withdrawn", {{"job", job.name}, {"why", why}});
    running.verdict.message = "Job " + job.name + " was withdrawn before it started: " + why;
    return running;
  }
  running.status = JobStatus{job.name, kRunning, job.declaration};
  if (job.generation == context.resource.metadata.generation) {
    // Progress is optional. If the database is not reachable from here, that says nothing about the Job.
    const auto target = make_target(context.resource, context.parts.credentials);
    const auto observed = target ? observe_progress(context, *target, job, progress, running) : fail(target.error());
    if (!observed) {
      const Error& error = observed.error();
      context.log.debug("cannot read the progress of the job", error_fields(target ? target->hidden.hide(error) : error));
    }
  }
  return running;
}

Result<ObservedJob> report_ended_job(const ReconcileContext& context, ObservedJob job, DatabaseAccess& access,
                                     const std::vector<std::string>& current_heads) {
  if (!job.last.has_ended()) {
    return job;
  }
  auto& reported = context.memory.reported;
  job.status =
      JobStatus{job.last.name, job.last.kind == JobState::Kind::Succeeded ? "Succeeded" : "Failed", job.last.declaration};
  // Read the ledger once per Job. After a restart the memory is empty, and the status shows whether the end was reported.
  if (!reported || reported->uid != job.last.uid) {
    TRY_ASSIGN(const auto ledger, access.ledger(ledger_rows_of(job.last)));
    reported = std::make_unique<ReconcileMemory::ReportedJob>(
        ReconcileMemory::ReportedJob{job.last.uid, run_of(job.last, ledger, current_heads)});
    job.newly_ended = context.resource.status.job != job.status;  // otherwise an earlier operator process reported it
  }
  job.run = reported->run;
  if (job.newly_ended) {
    count_ended_job(context, job);
  }
  return job;
}

// Unlike the attempt of an in-process run, that of a Job must not depend on the password, because its digest is visible in the
// Job's name and label.
JobRequest JobReconcile::request_of_plan(const PlanReview& review) const {
  const std::string declared = std::to_string(context_.resource.metadata.generation) + '\n' +
                               retry_annotation(context_.resource) + '\n' + without_password(database_.target.url);
  JobRequest request;
  request.declaration = attempt_id(declared + '\n' + observed_.snapshot->id());
  request.attempt = attempt_id(declared + '\n' + review.plan->hash);
  request.plan = review.plan.get();
  request.from = *observed_.current_heads;
  request.source = observed_.snapshot.get();
  return request;
}

// `review`: for the plan of a planning Job; null if there is none yet.
JobRequest JobReconcile::request_of_image(JobRequest::Work work, const PlanReview* review) const {
  const ImageSource& image = *context_.resource.spec.source.image;
  JobRequest request;
  request.work = work;
  request.declaration =
      attempt_id(image.reference + '\n' + image.path + '\n' + context_.resource.spec.target_revision + '\n' +
                 std::to_string(context_.resource.metadata.generation) + '\n' + retry_annotation(context_.resource));
  request.attempt = request.declaration;
  if (work == JobRequest::Work::Plan) {
    request.attempt = attempt_id("plan\n" + request.declaration + '\n' + heads_text(*observed_.current_heads, ","));
  } else if (review != nullptr) {
    request.attempt = attempt_id(request.declaration + '\n' + review->plan->hash);
  }
  request.plan = review == nullptr ? nullptr : review->plan.get();
  request.from = *observed_.current_heads;
  return request;
}

// Returns the verdict when the last Job failed at the same request; nullopt when another attempt is worthwhile.
std::optional<Verdict> JobReconcile::failed_before(const JobRequest& request) const {
  if (!failed_at_this(job_.last, request, *observed_.current_heads)) {
    return std::nullopt;
  }
  Verdict failure = failure_of(job_.last, job_.run.get());
  if (may_try_again(job_.last, failure, context_.parts.clock.wall_now())) {
    return std::nullopt;
  }
  failure.repeated = !job_.newly_ended;
  failure.keeps_plan = true;
  if (job_.run) {
    failure.report = job_.run->report;
    if (failure.reason == Reason::StatementFailed) {
      failure.message = failed_statement_in_words(*failure.error, job_.run->report, request.plan, request.source);
    }
  }
  return failure;
}

JobStep JobReconcile::run(PlanReview review) const {
  const JobRequest request = request_of_plan(review);
  if (auto verdict = failed_before(request)) {
    return {std::move(*verdict), std::move(review), {}, false};
  }
  if (job_.last.kind == JobState::Kind::Succeeded && job_.last.attempt == request.attempt && !job_.run) {
    // The Job succeeded, but neither the database nor its ledger shows it. Trust the database.
    Verdict verdict =
        verdict_of(Error(ErrorCode::StalePlan, "Job " + job_.last.name + " succeeded, but the database is not at the target"));
    verdict.retry_now = false;
    return {std::move(verdict), std::move(review), {}, false};
  }
  return start_when_allowed(request, std::move(review));
}

JobStep JobReconcile::run_image(const std::optional<UnfinishedStep>& unfinished) const {
  const JobRequest wanted = request_of_image(JobRequest::Work::Migrate);
  for (const JobRequest& request : {wanted, request_of_image(JobRequest::Work::Plan)}) {
    if (auto verdict = failed_before(request)) {
      return {std::move(*verdict), {}, {}, false};
    }
  }
  if (is_done(wanted)) {
    return {image_done(unfinished), {}, {}, true};
  }
  if (auto verdict = reported_before(wanted); verdict && !unfinished) {
    verdict->of_status = true;
    return {std::move(*verdict), {}, {}, false};
  }
  return needs_plan(context_.resource) ? run_planned_image(unfinished) : start(wanted);
}

// Whether the last Job brought the database to the declared target, and it is still there.
bool JobReconcile::is_done(const JobRequest& wanted) const {
  const JobState& last = job_.last;
  return last.kind == JobState::Kind::Succeeded && last.work == JobRequest::Work::Migrate &&
         last.declaration == wanted.declaration && (!last.report || last.report->current_heads == *observed_.current_heads);
}

// Kubernetes deletes finished Jobs after their TTL. The result of such a Job is in the status and remains valid while
// declaration and database are unchanged. Without this, the resource would lose Ready once per TTL, and a pod would be started
// for nothing.
std::optional<Verdict> JobReconcile::reported_before(const JobRequest& wanted) const {
  const DatabaseMigrationStatus& status = context_.resource.status;
  const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
  if (job_.last.kind != JobState::Kind::Absent || !status.job || status.job->declaration != wanted.declaration ||
      ready == nullptr || ready->observed_generation != context_.resource.metadata.generation ||
      !shows_heads(status, *observed_.current_heads)) {
    return std::nullopt;
  }
  if (ready->reason == Reason::DatabaseAhead || ready->reason == Reason::AheadAccepted) {
    return ahead();
  }
  const bool at_target = ready->reason == Reason::Applied || ready->reason == Reason::UpToDate;
  if (!at_target && ready->reason != Reason::PlanPublished) {
    return std::nullopt;
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::Done;
  verdict.reason = at_target ? Reason::UpToDate : Reason::PlanPublished;
  verdict.message = ready->message;
  return verdict;
}

// The verdict when no Job is needed: the database is at the target, or ahead of it.
Verdict JobReconcile::image_done(const std::optional<UnfinishedStep>& unfinished) const {
  const bool is_ahead = job_.last.report && job_.last.report->ahead;
  if (is_ahead && (!unfinished || context_.resource.spec.policy.downgrade != DowngradePolicy::Keep)) {
    return ahead();
  }
  if (unfinished) {
    Verdict verdict = verdict_of(unfinished_beyond(unfinished->revision, context_.resource.spec.target_revision));
    verdict.kind = Verdict::Kind::Stalled;
    verdict.reason = Reason::UnfinishedRevision;
    return verdict;
  }
  Verdict verdict;
  verdict.kind = Verdict::Kind::Done;
  verdict.reason = job_.unreported_run() ? Reason::Applied : Reason::UpToDate;
  verdict.message = "the database is at " + heads_text(*observed_.current_heads, ", ") + " after Job " + job_.last.name;
  return verdict;
}

Verdict JobReconcile::ahead() const {
  Verdict verdict;
  const DatabaseMigrationSpec& spec = context_.resource.spec;
  if (spec.policy.downgrade == DowngradePolicy::Keep) {
    verdict.kind = Verdict::Kind::Done;
    verdict.reason = Reason::AheadAccepted;
    verdict.message = kept_message(*observed_.current_heads, spec.target_revision);
    return verdict;
  }
  verdict.kind = Verdict::Kind::Stalled;
  verdict.reason = Reason::DatabaseAhead;
  verdict.message = ahead_message(*observed_.current_heads, spec.target_revision);
  return verdict;
}

JobStep JobReconcile::run_planned_image(const std::optional<UnfinishedStep>& unfinished) const {
  const JobRequest planning = request_of_image(JobRequest::Work::Plan);
  const JobState& last = job_.last;
  if (last.kind != JobState::Kind::Succeeded || last.attempt != planning.attempt) {
    return start(planning);
  }
  if (!last.report || !last.report->plan) {
    Verdict verdict = verdict_of(Error(ErrorCode::Internal, "Job " + last.name + " ended without reporting its plan"));
    verdict.reason = Reason::JobFailed;
    return {std::move(verdict), {}, {}, false};
  }
  auto plan = plan_of(last, context_.resource.spec.target_revision);
  if (plan->empty()) {
    return {image_done(unfinished), {}, {}, true};
  }
  if (plan->operation == Direction::Downgrade && context_.resource.spec.policy.downgrade != DowngradePolicy::Allow) {
    return {ahead(), {}, {}, false};  // the policy does not allow this plan, even if the pod reports it
  }
  PlanReview review = review_plan(context_, std::move(plan), last.report->destructive, database_.approval_scope);
  review.lint = context_.resource.spec.policy.lint ? last.report->lint : std::nullopt;
  review.lint_is_new = !shows_lint(context_.resource.status, review);
  if (context_.resource.spec.dry_run) {
    Verdict verdict = published(*review.plan);
    return {std::move(verdict), std::move(review), {}, true};
  }
  const JobRequest migrate = request_of_image(JobRequest::Work::Migrate, &review);
  JobStep step = start_when_allowed(migrate, std::move(review));
  step.image_read = true;
  return step;
}

// Check that the Job can be created before anyone approves its plan and before a backup is taken for it.
JobStep JobReconcile::start_when_allowed(const JobRequest& request, PlanReview review) const {
  if (auto possible = context_.parts.jobs->check(context_.resource, request); !possible) {
    return {not_started(std::move(possible).error()), std::move(review), {}, false};
  }
  const auto dry_run = [&]() -> std::optional<Verdict> {
    auto created = context_.parts.jobs->dry_run_create(context_.resource, request);
    return created ? std::nullopt : std::optional(not_started(std::move(created).error()));
  };
  Preflight preflight = check_may_run(context_, observed_, database_, std::move(review), dry_run);
  JobStep step;
  if (preflight.held) {
    step.verdict = std::move(*preflight.held);
  } else {
    step = start(request);
  }
  step.review = std::move(preflight.review);
  return step;
}

JobStep JobReconcile::start(const JobRequest& request) const {
  // Before the Job exists: otherwise `helm --wait` could read a Ready from before the run.
  if (auto reported = report_pending(context_, observed_, nullptr); !reported) {
    return {verdict_of(std::move(reported).error()), {}, {}, false};
  }
  auto started = context_.parts.jobs->start(context_.resource, request);
  if (!started) {
    return {not_started(std::move(started).error()), {}, {}, false};
  }
  context_.log.info("job started", {{"job", started->name}});
  return {waiting_for(*started), {}, JobStatus{started->name, kRunning, request.declaration}, false};
}

}  // namespace athanor::controller
