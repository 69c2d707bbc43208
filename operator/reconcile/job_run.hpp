// Determines what a Job's run did, from three sources: its own report, the ledger, and the Job's status on the cluster.
//
// The ledger is authoritative for what was applied. The report adds what the ledger lacks (line and statement of a failure).
// Without a report, because the pod was killed or wrote something else, the ledger's row for the failure is used.
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

// Returns a digest that identifies what a Job is created for, short enough for a label value.
[[nodiscard]] std::string attempt_id(const std::string& of);
// Returns the URL without password and parameters, so that a digest of the result reveals nothing about the password.
[[nodiscard]] std::string without_password(const std::string& url);

// Whether the policy must see the plan before a Job runs it. This includes allowing downgrades, because a downgrade is
// destructive.
[[nodiscard]] bool needs_plan(const DatabaseMigration& resource);
// Returns the plan that a planning Job reported, starting from the heads the Job was given. Requires a report with a plan.
[[nodiscard]] std::shared_ptr<const Plan> plan_of(const JobState& job, const std::string& target);

// Returns how many of the newest ledger rows cover a run of this Job.
[[nodiscard]] std::size_t ledger_rows_of(const JobState& job);
// Returns the run of an ended Job; null when it did not touch the database. `rows`: the current heads.
[[nodiscard]] std::shared_ptr<const ReportedRun> run_of(const JobState& job, const LedgerRows& ledger,
                                                        const std::vector<std::string>& rows);
// Returns the progress of a Job that has not ended.
[[nodiscard]] ProgressStatus progress_of(const JobState& job, const LedgerRows& ledger, const Observation& database);

// Whether this Job failed at what is wanted now: the same plan, or the rest of it. `rows`: the current heads.
[[nodiscard]] bool failed_at_this(const JobState& job, const JobRequest& wanted, const std::vector<std::string>& rows);
// Returns the verdict while a Job runs.
[[nodiscard]] Verdict waiting_for(const JobState& job);
// Returns the verdict for a failed Job. `run` may be null.
[[nodiscard]] Verdict failure_of(const JobState& job, const ReportedRun* run);
// Returns the verdict when no Job could be created.
[[nodiscard]] Verdict not_started(Error error);
// Whether to retry: only a failure that may be temporary, and at the earliest one minute after the Job's end.
[[nodiscard]] bool may_try_again(const JobState& job, const Verdict& failure, WallTime now);

}  // namespace athanor::controller
