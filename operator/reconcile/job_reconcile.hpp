// The part of a reconcile that concerns Jobs: what happened to the last one, and whether to start another.
//
// While a Job of the resource runs, nothing else happens, even if another mode, another target or suspension is declared
// meanwhile. A Job whose pod has not started is withdrawn when the declaration no longer wants it. What a Job did is reported
// once, from the ledger and its own report (job_run.hpp); a restarted operator does not report it again.
//
// Threads: one reconcile, one thread. Ownership: borrows context, observations and database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/reconcile_context.hpp"
#include "operator/reconcile/run_progress.hpp"

namespace athanor::controller {

// The newest Job of a resource, as observed in this reconcile.
struct ObservedJob {
  JobState last;
  std::optional<JobStatus> status;         // for status.job; empty: unchanged
  std::shared_ptr<const ReportedRun> run;  // for an ended Job; null: unknown, or it did not touch the database
  bool newly_ended = false;                // since the last reconcile

  [[nodiscard]] std::shared_ptr<const ReportedRun> unreported_run() const { return newly_ended ? run : nullptr; }
};

// A running Job and its progress.
struct RunningJob {
  Verdict verdict;
  std::optional<JobStatus> status;
  std::optional<std::vector<std::string>> current_heads;  // nullopt: the database could not be observed
  std::optional<ProgressStatus> progress;
};

// The result of trying to start a Job.
struct JobStep {
  Verdict verdict;
  std::optional<PlanReview> review;  // for the plan that was found
  std::optional<JobStatus> started;
  bool image_read = false;  // a Job has read the image for this declaration
};

// Whether a Job of the resource may be running.
[[nodiscard]] bool job_may_be_running(const ReconcileContext& context);
// Whether the status still shows a running Job that has ended.
[[nodiscard]] bool has_unreported_end(const ReconcileContext& context, const ObservedJob& job);
// Returns the newest Job. Error: PolicyRefused when this operator creates no Jobs.
[[nodiscard]] Result<ObservedJob> observe_job(const ReconcileContext& context);
// Reports on a running Job, and withdraws it if it has not begun and is no longer wanted. `claimed_by`: another resource that
// owns the database; empty: none.
[[nodiscard]] Result<RunningJob> follow_job(const ReconcileContext& context, const JobState& job, const std::string& claimed_by,
                                            RunProgress& progress);
// For a Job that may have ended: reads its run from the ledger; logs and counts it the first time.
[[nodiscard]] Result<ObservedJob> report_ended_job(const ReconcileContext& context, ObservedJob job, DatabaseAccess& access,
                                                   const std::vector<std::string>& current_heads);

class JobReconcile {
 public:
  JobReconcile(const ReconcileContext& context, const ObservedJob& job, const Observed& observed, const OpenDatabase& database)
      : context_(context), job_(job), observed_(observed), database_(database) {}

  // Runs a plan that the reconciler made.
  [[nodiscard]] JobStep run(PlanReview review) const;
  // Runs the revisions in an image. Only a pod can read them, so one Job plans and another migrates, bound to that plan, unless
  // the policy does not need to see the plan.
  [[nodiscard]] JobStep run_image(const std::optional<UnfinishedStep>& unfinished) const;

 private:
  [[nodiscard]] JobRequest request_of_plan(const PlanReview& review) const;
  [[nodiscard]] JobRequest request_of_image(JobRequest::Work work, const PlanReview* review = nullptr) const;
  [[nodiscard]] std::optional<Verdict> failed_before(const JobRequest& request) const;
  [[nodiscard]] bool is_done(const JobRequest& wanted) const;
  [[nodiscard]] std::optional<Verdict> reported_before(const JobRequest& wanted) const;
  [[nodiscard]] Verdict image_done(const std::optional<UnfinishedStep>& unfinished) const;
  [[nodiscard]] Verdict ahead() const;
  [[nodiscard]] JobStep run_planned_image(const std::optional<UnfinishedStep>& unfinished) const;
  [[nodiscard]] JobStep start_when_allowed(const JobRequest& request, PlanReview review) const;
  [[nodiscard]] JobStep start(const JobRequest& request) const;

  const ReconcileContext& context_;
  const ObservedJob& job_;
  const Observed& observed_;
  const OpenDatabase& database_;
};

}  // namespace athanor::controller
