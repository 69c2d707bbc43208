#include "operator/reconcile/job_reconcile.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/decide.hpp"
#include "operator/reconcile/gate.hpp"
#include "operator/reconcile/job_run.hpp"
#include "operator/reconcile/preflight.hpp"

namespace athanor::controller {

bool JobReconcile::may_be_under_way() const {
  const auto& reported = given_.resource.status.job;
  return given_.resource.spec.execution.mode == ExecutionMode::Job ||
         (given_.parts.jobs != nullptr && reported && reported->phase == "Running");
}

bool JobReconcile::has_unreported() const {
  return last_.has_ended() && given_.resource.status.job && given_.resource.status.job->phase == "Running";
}

// Why a Job that has not begun must not begin any more; empty: it may.
std::string JobReconcile::taken_back(const std::string& claimed_by) const {
  const DatabaseMigration& resource = given_.resource;
  if (resource.spec.suspend) {
    return "the resource is suspended";
  }
  if (!claimed_by.empty()) {
    return "the database is managed by " + claimed_by;
  }
  if (last_.generation != resource.metadata.generation) {
    return "something else is declared";
  }
  if (last_.work == JobRequest::Work::Plan) {
    return {};
  }
  if (!judge_windows(resource.spec.execution.windows, given_.parts.clock.wall_now()).open) {
    return "its maintenance window is over";
  }
  const auto& given = resource.status.approval;
  if (resource.spec.policy.approval != ApprovalPolicy::Never && given && given_.parts.approvals != nullptr) {
    const auto approvals = given_.parts.approvals->approvals(resource.key());
    const bool holds = std::ranges::any_of(approvals, [&](const Approval& approval) {
      return approval.name == given->name && approval.plan_hash == given->plan_hash;
    });
    return holds ? "" : "its approval was taken back";
  }
  return {};
}

Result<std::optional<Outcome>> JobReconcile::find_running(const std::string& claimed_by, RunProgress& sink) {
  if (given_.parts.jobs == nullptr) {
    return std::optional(
        not_started(Error(ErrorCode::PolicyRefused, "this operator cannot create Jobs")
                        .advise("set spec.execution.mode to InProcess, or start the operator with --job-image")));
  }
  TRY_ASSIGN(last_, given_.parts.jobs->newest(given_.resource));
  const auto& reported = given_.resource.status.job;
  if (last_.kind == JobState::Kind::Absent && reported && reported->phase == "Running") {
    found_.job = JobStatus{reported->name, "Deleted", reported->declaration};
  }
  if (last_.kind != JobState::Kind::Running) {
    return std::optional<Outcome>();
  }
  if (const std::string why = last_.begun || last_.deleting ? "" : taken_back(claimed_by); !why.empty()) {
    TRY(given_.parts.jobs->withdraw(given_.resource, last_));
    given_.log.info("job withdrawn", {{"job", last_.name}, {"why", why}});
    Outcome outcome = waiting_for(last_);
    outcome.message = "Job " + last_.name + " had not begun and is withdrawn: " + why;
    return std::optional(std::move(outcome));
  }
  return std::optional(watch(sink));
}

Outcome JobReconcile::watch(RunProgress& sink) {
  found_.job = JobStatus{last_.name, "Running", last_.declaration};
  Outcome outcome = waiting_for(last_);
  const bool of_this_spec = last_.generation == given_.resource.metadata.generation;
  if (const auto seen = of_this_spec ? observe_progress(sink, outcome) : Result<void>(); !seen) {
    given_.log.debug("how far the job is cannot be seen", error_fields(seen.error()));
  }
  return outcome;
}

// A look with a connection of its own that takes no lock. The cluster wakes the resource seldom enough.
Result<void> JobReconcile::observe_progress(RunProgress& sink, Outcome& outcome) {
  TRY_ASSIGN(found_.target, make_target(given_.resource, given_.parts.credentials));
  TRY_ASSIGN(auto access, given_.parts.databases.open(found_.target, sink));
  TRY_ASSIGN(const Observation database, access->observe());
  found_.rows = database.current_heads;
  if (!last_.plan_hash.empty()) {
    TRY_ASSIGN(const auto ledger, access->ledger(ledger_rows_of(last_)));
    outcome.progress = progress_of(last_, ledger, database);
  }
  return {};
}

// Once for every Job that ended: history, metrics, and why it failed.
Result<void> JobReconcile::report_last(DatabaseAccess& access) {
  if (!last_.has_ended()) {
    return {};
  }
  found_.job = JobStatus{last_.name, last_.kind == JobState::Kind::Succeeded ? "Succeeded" : "Failed", last_.declaration};
  if (!given_.memory.reported || given_.memory.reported->uid != last_.uid) {
    TRY_ASSIGN(const auto ledger, access.ledger(ledger_rows_of(last_)));
    given_.memory.reported = std::make_unique<ReconcileMemory::ReportedJob>(
        ReconcileMemory::ReportedJob{last_.uid, run_of(last_, ledger, *found_.rows)});
    changed_ = given_.resource.status.job != found_.job;  // otherwise an operator before this one told it
  }
  if (!changed_) {
    return {};
  }
  given_.log.info("job ended", {{"job", last_.name}, {"phase", found_.job->phase}});
  if (const auto run = reported_run()) {
    for (const auto& executed : run->report.executed) {
      given_.parts.observer.revision_applied(executed.direction, std::chrono::duration<double>(executed.duration).count());
    }
  }
  if (last_.kind == JobState::Kind::Failed) {
    given_.parts.observer.run_failed(failure_of(last_, reported_run().get()).reason);
  }
  return {};
}

// What a Job is asked for. Unlike in process, a password is no part of it: its digest would be there for all to see.
JobRequest JobReconcile::request_of_plan() const {
  JobRequest request;
  const std::string declared = std::to_string(given_.resource.metadata.generation) + '\n' + retry_annotation(given_.resource) +
                               '\n' + without_password(found_.target.url);
  request.declaration = attempt_id(declared + '\n' + found_.snapshot->id());
  request.attempt = attempt_id(declared + '\n' + found_.plan->hash);
  request.plan = found_.plan.get();
  request.from = *found_.rows;
  request.source = found_.snapshot.get();
  return request;
}

// The revisions are in an image: what to do is known to the pod alone.
JobRequest JobReconcile::request_of_image(JobRequest::Work work) const {
  const ImageSource& image = *given_.resource.spec.source.image;
  JobRequest request;
  request.work = work;
  request.declaration =
      attempt_id(image.reference + '\n' + image.path + '\n' + given_.resource.spec.target_revision + '\n' +
                 std::to_string(given_.resource.metadata.generation) + '\n' + retry_annotation(given_.resource));
  request.attempt = request.declaration;
  if (work == JobRequest::Work::Plan) {
    request.attempt = attempt_id("plan\n" + request.declaration + '\n' + heads_text(*found_.rows, ","));
  } else if (found_.plan) {
    request.attempt = attempt_id(request.declaration + '\n' + found_.plan->hash);
  }
  request.plan = found_.plan.get();
  request.from = *found_.rows;
  return request;
}

// The outcome of a Job that failed at what is to be done now; empty when it is worth another attempt.
std::optional<Outcome> JobReconcile::stalled(const JobRequest& request) {
  if (!failed_at_this(last_, request, *found_.rows)) {
    return std::nullopt;
  }
  Outcome failure = failure_of(last_, reported_run().get());
  if (may_try_again(last_, failure, given_.parts.clock.wall_now())) {
    return std::nullopt;
  }
  failure.repeated = !changed_;
  if (const auto run = reported_run()) {
    failure.report = run->report;
  }
  found_.plan.reset();  // the status keeps the plan that failed
  return failure;
}

Result<Outcome> JobReconcile::run() {
  const JobRequest request = request_of_plan();
  if (auto outcome = stalled(request)) {
    return std::move(*outcome);
  }
  if (last_.kind == JobState::Kind::Succeeded && last_.attempt == request.attempt && !reported_run()) {
    // It says that it is done, and neither database nor ledger know of anything: the database is right.
    Outcome outcome =
        outcome_of(Error(ErrorCode::StalePlan, "Job " + last_.name + " ended, and the database is not at the target"));
    outcome.retry_now = false;
    return outcome;
  }
  return start_when_allowed(request);
}

Result<Outcome> JobReconcile::run_image(const Observation& database) {
  const JobRequest wanted = request_of_image(JobRequest::Work::Migrate);
  for (const JobRequest& request : {wanted, request_of_image(JobRequest::Work::Plan)}) {
    if (auto outcome = stalled(request)) {
      return std::move(*outcome);
    }
  }
  if (is_done(wanted)) {
    return image_settled(database);
  }
  if (auto outcome = reported_before(wanted); outcome && !database.unfinished) {
    return std::move(*outcome);
  }
  return needs_plan(given_.resource.spec) ? run_planned_image(database) : start(wanted);
}

// Whether the last Job brought the database to the declared target, and it is there still.
bool JobReconcile::is_done(const JobRequest& wanted) const {
  return last_.kind == JobState::Kind::Succeeded && last_.work == JobRequest::Work::Migrate &&
         last_.declaration == wanted.declaration && (!last_.report || last_.report->current_heads == *found_.rows);
}

// A Job is removed some time after its end. What it found is in the status, and holds while declaration and database are the
// same: nobody is told "not ready" once an hour, and no pod is started for nothing.
std::optional<Outcome> JobReconcile::reported_before(const JobRequest& wanted) const {
  const DatabaseMigrationStatus& status = given_.resource.status;
  const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
  if (last_.kind != JobState::Kind::Absent || !status.job || status.job->declaration != wanted.declaration ||
      ready == nullptr || ready->observed_generation != given_.resource.metadata.generation ||
      !shows_heads(status, *found_.rows)) {
    return std::nullopt;
  }
  if (ready->reason == Reason::DatabaseAhead) {
    return ahead();
  }
  const bool at_target = ready->reason == Reason::Applied || ready->reason == Reason::UpToDate;
  if (!at_target && ready->reason != Reason::PlanPublished) {
    return std::nullopt;
  }
  Outcome outcome;
  outcome.kind = Outcome::Kind::Done;
  outcome.reason = at_target ? Reason::UpToDate : Reason::PlanPublished;
  outcome.message = ready->message;
  return outcome;
}

// Nothing is left to do for a Job: the database is at the target, or beyond it.
Outcome JobReconcile::image_settled(const Observation& database) {
  found_.image = given_.resource.spec.source.image->reference;
  found_.pending.emplace();
  if (last_.report && last_.report->ahead) {
    return ahead();
  }
  Outcome outcome;
  if (database.unfinished) {
    outcome = outcome_of(unfinished_beyond(database.unfinished->revision, given_.resource.spec.target_revision));
    outcome.kind = Outcome::Kind::Stalled;
    outcome.reason = Reason::UnfinishedRevision;
    return outcome;
  }
  outcome.kind = Outcome::Kind::Done;
  outcome.reason = changed_ && reported_run() ? Reason::Applied : Reason::UpToDate;
  outcome.message = "the database is at " + heads_text(*found_.rows, ", ") + " after Job " + last_.name;
  return outcome;
}

Outcome JobReconcile::ahead() const {
  Outcome outcome;
  outcome.kind = Outcome::Kind::Stalled;
  outcome.reason = Reason::DatabaseAhead;
  outcome.message = ahead_of_target(*found_.rows, given_.resource.spec.target_revision) +
                    "; raise spec.targetRevision, or set spec.policy.downgrade to Allow to go back";
  return outcome;
}

// Two Jobs: one tells the plan, and once that may run, another is held to it.
Result<Outcome> JobReconcile::run_planned_image(const Observation& database) {
  const JobRequest planning = request_of_image(JobRequest::Work::Plan);
  if (last_.kind != JobState::Kind::Succeeded || last_.attempt != planning.attempt) {
    return start(planning);
  }
  if (!last_.report || !last_.report->plan) {
    Outcome outcome = outcome_of(Error(ErrorCode::Internal, "Job " + last_.name + " ended without telling the plan"));
    outcome.reason = Reason::JobFailed;
    return outcome;
  }
  auto plan = plan_of(last_, given_.resource.spec.target_revision);
  if (plan->empty()) {
    return image_settled(database);
  }
  if (plan->operation == Direction::Downgrade && given_.resource.spec.policy.downgrade == DowngradePolicy::Refuse) {
    return ahead();  // nobody asked for such a plan; whatever the pod says, the policy holds
  }
  found_.image = given_.resource.spec.source.image->reference;
  found_.plan = std::move(plan);
  found_.destructive = last_.report->destructive;
  found_.pending = ids_of(*found_.plan);
  find_approval(given_, found_);
  if (given_.resource.spec.dry_run) {
    return published(*found_.plan);
  }
  return start_when_allowed(request_of_image(JobRequest::Work::Migrate));
}

// What speaks against the Job is said before anybody approves of its plan and before a backup is taken.
Result<Outcome> JobReconcile::start_when_allowed(const JobRequest& request) {
  if (auto possible = given_.parts.jobs->check(given_.resource, request); !possible) {
    return not_started(std::move(possible).error());
  }
  const auto dry_run_create = [&]() -> std::optional<Outcome> {
    auto rehearsed = given_.parts.jobs->dry_run_create(given_.resource, request);
    return rehearsed ? std::nullopt : std::optional(not_started(std::move(rehearsed).error()));
  };
  if (auto not_yet = check_may_run(given_, found_, dry_run_create)) {
    return std::move(*not_yet);
  }
  return start(request);
}

Result<Outcome> JobReconcile::start(const JobRequest& request) {
  auto started = given_.parts.jobs->start(given_.resource, request);
  if (!started) {
    return not_started(std::move(started).error());
  }
  given_.log.info("job started", {{"job", started->name}});
  found_.job = JobStatus{started->name, "Running", request.declaration};
  return waiting_for(*started);
}

std::shared_ptr<const ReportedRun> JobReconcile::reported_run() const {
  return given_.memory.reported ? given_.memory.reported->run : nullptr;
}

}  // namespace athanor::controller
