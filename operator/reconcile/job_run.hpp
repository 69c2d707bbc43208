// What became of a Job's run: told from its report, from the ledger, and from what the cluster says, in this order of detail.
//
// The ledger is the truth about what was applied. The report adds what no ledger holds (line and statement of a failure); when
// there is none, because the pod was killed or wrote something else, the ledger's own row of the failure stands in for it.
//
// Threads: pure functions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/job_execution.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

using LedgerRows = std::vector<Migrator::HistoryEntry>;  // newest first

// An id for what a Job is made for; it fits a label.
[[nodiscard]] std::string attempt_id(const std::string& of);
// A URL as what it leads to: a digest of what remains tells nothing about the password.
[[nodiscard]] std::string without_password(const std::string& url);

// What cannot be asked of a Job that plans and migrates at once. Which way to go is one of it: going back destroys something.
[[nodiscard]] bool needs_plan(const DatabaseMigrationSpec& spec);
// The plan that a planning Job told, from where it was told to start. It must have told one.
[[nodiscard]] std::shared_ptr<const Plan> plan_of(const JobState& job, const std::string& target);

// How many of the newest rows of the ledger tell all about a run of this Job.
[[nodiscard]] std::size_t ledger_rows_of(const JobState& job);
// The run that an ended Job was; null when it did not touch the database. `rows` are of the version table now.
[[nodiscard]] std::shared_ptr<const ReportedRun> run_of(const JobState& job, const LedgerRows& ledger,
                                                        const std::vector<std::string>& rows);
// Of a Job that has not ended.
[[nodiscard]] ProgressStatus progress_of(const JobState& job, const LedgerRows& ledger, const Observation& database);

// Whether what is to be done now is what this Job, which failed, was for: the same plan, or what it left of it. `rows` are of
// the version table now.
[[nodiscard]] bool failed_at_this(const JobState& job, const JobRequest& wanted, const std::vector<std::string>& rows);
[[nodiscard]] Verdict waiting_for(const JobState& job);
// `run` may be null. Whoever wants another attempt after one that may pass waits until a minute after its end.
[[nodiscard]] Verdict failure_of(const JobState& job, const ReportedRun* run);
// The outcome when no Job could be made.
[[nodiscard]] Verdict not_started(Error error);
[[nodiscard]] bool may_try_again(const JobState& job, const Verdict& failure, WallTime now);

}  // namespace athanor::controller
