// What one reconcile observed: the source, the database, the last Job. It contains facts only; the Verdict contains the
// conclusion.
//
// An empty optional means that the reconcile ended before it got there; the status keeps its previous value.
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

// The result of the drift check: the condition Drifted.
struct DriftSeen {
  ConditionStatus drifted = ConditionStatus::Unknown;
  Reason reason = Reason::CatalogNotRecorded;
  std::string message{};
  std::optional<Error> error{};  // the schema could not be checked
  bool changed = false;          // differs from the status
};

struct Observed {
  std::shared_ptr<SourceSnapshot> snapshot;    // null: not loaded, or the files are in an image
  std::shared_ptr<SourceSnapshot> files;       // the source itself; `snapshot` may extend it from the ledger
  SteadyTime read_at{};                        // when source and credentials were read
  std::optional<std::string> source_revision;  // revision of the snapshot, or of the image that a Job has read
  std::optional<std::int64_t> source_files;    // revision files in it
  std::optional<Error> source_error;           // the source is unavailable; `snapshot` is the last one loaded
  std::optional<std::string> database_id;
  std::optional<std::vector<std::string>> current_heads;
  bool rows_unknown = false;  // a run may have changed the heads since they were read, and they cannot be read again
  std::optional<std::vector<std::string>> resolved;  // revisions that the target resolves to
  std::optional<std::vector<std::string>> pending;   // revisions still to be applied or reverted, in order
  std::optional<DriftSeen> drift;                    // nullopt: not checked in this reconcile
  std::optional<JobStatus> job;
  std::optional<ProgressStatus> job_progress;  // for a running Job
  std::shared_ptr<const ReportedRun> job_run;  // for a Job that ended since the last reconcile
};

}  // namespace athanor::controller
