// What one reconcile has seen: the source, the database, the last Job. Facts only; what follows from them is a Verdict.
//
// An empty optional means that the reconcile ended before it got there, and the status keeps what it said.
//
// Threads: plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/execution_report.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// A run that a Job carried out, reported after its end.
struct ReportedRun {
  ExecutionReport report;
  Direction direction = Direction::Upgrade;
  std::vector<std::string> from;  // heads before it
};

// What was found of policy.drift: the condition Drifted.
struct DriftSeen {
  ConditionStatus drifted = ConditionStatus::Unknown;
  Reason reason = Reason::CatalogNotRecorded;
  std::string message{};
  std::optional<Error> error{};  // the schema could not be looked at
  bool changed = false;          // the status says something else
};

struct Observed {
  std::shared_ptr<SourceSnapshot> snapshot;    // null: not loaded, or the files are in an image
  std::shared_ptr<SourceSnapshot> files;       // the source itself; `snapshot` may go on with what the ledger recorded
  SteadyTime read_at{};                        // when source and credentials were read
  std::optional<std::string> source_revision;  // of the snapshot, or the image that a Job has read
  std::optional<std::int64_t> source_files;    // revision files in it
  std::optional<Error> source_error;           // the source is unavailable; `snapshot` is the last one it gave
  std::optional<std::string> database_id;
  std::optional<std::vector<std::string>> current_heads;
  bool rows_unknown = false;  // a run may have moved them since they were read, and they cannot be read again
  std::optional<std::vector<std::string>> resolved;  // revisions that the target means
  std::optional<std::vector<std::string>> pending;   // revisions still to be applied or taken back, in order
  std::optional<DriftSeen> drift;                    // empty: not looked at by this reconcile
  std::optional<JobStatus> job;
  std::optional<ProgressStatus> job_progress;  // of a Job that runs
  std::shared_ptr<const ReportedRun> job_run;  // of a Job that ended since the last reconcile
};

}  // namespace athanor::controller
