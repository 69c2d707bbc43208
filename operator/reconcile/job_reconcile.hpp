// The part of a reconcile that has to do with Jobs: what became of the last one, and whether to start another.
//
// While a Job of the resource has not ended nothing else happens, whatever it was started for and whatever is declared
// meanwhile: another mode, or that the resource is suspended. One that has not begun is taken back when it is not wanted any
// more. What one did is told once, from the ledger and from its report (job_run.hpp); an operator that was restarted does not
// tell it again.
//
// Threads: one reconcile, one thread. Ownership: borrows context and findings.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "operator/reconcile/reconcile_state.hpp"
#include "operator/reconcile/run_progress.hpp"

namespace athanor::controller {

class JobReconcile {
 public:
  JobReconcile(const ReconcileContext& given, Findings& found) : given_(given), found_(found) {}

  // Whether there may be a Job that has not ended.
  [[nodiscard]] bool may_be_under_way() const;
  // Whether the end of the last one was not told yet.
  [[nodiscard]] bool has_unreported() const;
  // Finds the last Job. The outcome when it is under way; empty: it has ended, or there is none. `claimed_by`: another resource
  // that has the database; empty: none.
  [[nodiscard]] Result<std::optional<Outcome>> find_running(const std::string& claimed_by, RunProgress& sink);
  // Tells what the last Job did. The database has been looked at.
  [[nodiscard]] Result<void> report_last(DatabaseAccess& access);

  // Has the plan run by a Job.
  [[nodiscard]] Result<Outcome> run();
  // The same where the revisions are in an image: what to do is known to the pod alone.
  [[nodiscard]] Result<Outcome> run_image(const Observation& database);

  // What the last Job did, when nobody was told before; null otherwise, and when nothing is known of it.
  [[nodiscard]] std::shared_ptr<const ReportedRun> news() const { return changed_ ? reported_run() : nullptr; }
  [[nodiscard]] bool has_succeeded() const { return last_.kind == JobState::Kind::Succeeded; }

 private:
  [[nodiscard]] Outcome watch(RunProgress& sink);
  [[nodiscard]] std::string taken_back(const std::string& claimed_by) const;
  [[nodiscard]] Result<void> observe_progress(RunProgress& sink, Outcome& outcome);
  [[nodiscard]] std::shared_ptr<const ReportedRun> reported_run() const;
  [[nodiscard]] JobRequest request_of_plan() const;
  [[nodiscard]] JobRequest request_of_image(JobRequest::Work work) const;
  [[nodiscard]] std::optional<Outcome> stalled(const JobRequest& request);
  [[nodiscard]] bool is_done(const JobRequest& wanted) const;
  [[nodiscard]] std::optional<Outcome> reported_before(const JobRequest& wanted) const;
  [[nodiscard]] Outcome image_settled(const Observation& database);
  [[nodiscard]] Outcome ahead() const;
  [[nodiscard]] Result<Outcome> run_planned_image(const Observation& database);
  [[nodiscard]] Result<Outcome> start_when_allowed(const JobRequest& request);
  [[nodiscard]] Result<Outcome> start(const JobRequest& request);

  ReconcileContext given_;
  Findings& found_;
  JobState last_;
  bool changed_ = false;
};

}  // namespace athanor::controller
