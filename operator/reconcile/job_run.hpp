// What a Job's run did, from three sources: its own report, the ledger, and the Job's status on the cluster.
//
// The ledger is the truth about what was applied. The report adds what the ledger does not hold (line and statement of a
// failure). Without a report, because the pod was killed or wrote something else, the ledger's row of the failure stands in.
//
// Threads: pure functions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "operator/reconcile/job_execution.hpp"
#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

using LedgerRows = std::vector<Migrator::HistoryEntry>;  // newest first

// Identifies what a Job is made for; short enough for a label value.
[[nodiscard]] std::string attempt_id(const std::string& of);
// The URL without password and parameters, so that a digest of the result reveals nothing about the password.
[[nodiscard]] std::string without_password(const std::string& url);

// Whether the policy must see the plan before a Job runs it. Allowing downgrades is a reason: a downgrade is destructive.
[[nodiscard]] bool needs_plan(const DatabaseMigration& resource);
// The plan that a planning Job reported, starting from the heads the Job was given. Requires a report with a plan.
[[nodiscard]] std::shared_ptr<const Plan> plan_of(const JobState& job, const std::string& target);

// How many of the newest ledger rows cover a run of this Job.
[[nodiscard]] std::size_t ledger_rows_of(const JobState& job);
// The run of a Job that ended; null when it did not touch the database. `rows`: the current heads.
[[nodiscard]] std::shared_ptr<const ReportedRun> run_of(const JobState& job, const LedgerRows& ledger,
                                                        const std::vector<std::string>& rows);
// The progress of a Job that has not ended.
[[nodiscard]] ProgressStatus progress_of(const JobState& job, const LedgerRows& ledger, const Observation& database);

// Whether this Job failed at what is wanted now: the same plan, or the rest of it. `rows`: the current heads.
[[nodiscard]] bool failed_at_this(const JobState& job, const JobRequest& wanted, const std::vector<std::string>& rows);
[[nodiscard]] Verdict waiting_for(const JobState& job);
// The verdict on a Job that failed. `run` may be null.
[[nodiscard]] Verdict failure_of(const JobState& job, const ReportedRun* run);
// The verdict when no Job could be created.
[[nodiscard]] Verdict not_started(Error error);
// A failure that may pass is retried no sooner than a minute after the Job's end.
[[nodiscard]] bool may_try_again(const JobState& job, const Verdict& failure, WallTime now);

}  // namespace athanor::controller
