// How one reconcile ended, and what follows from it.
//
// Four kinds. Done: the declaration holds. Waiting: something else must end first, nothing is wrong. Stalled: nothing changes
// until a human changes something. Failed: it will be tried again. summarise() is the only place that turns an outcome into
// status and conditions, next_attempt() the only one that decides when the resource is looked at again.
//
// Threads: pure functions and plain values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/gate.hpp"

namespace athanor::controller {

// A run that somebody else carried out, a Job, as it is told afterwards.
struct ReportedRun {
  ExecutionReport report;
  Direction direction = Direction::Upgrade;
  std::vector<std::string> from;  // rows of the version table before it
};

struct Outcome {
  enum class Kind : std::uint8_t { Done, Waiting, Stalled, Failed };
  Kind kind = Kind::Failed;
  Reason reason = Reason::InternalError;
  std::string message;
  std::optional<Error> error;
  bool retry_now = false;  // Failed on a race (a stale plan): look again without delay
  bool requeued = false;   // nothing was looked at: as many of its database server are worked on as may be
  bool repeated = false;   // what an earlier reconcile found, told again: no history of its own

  // What became known on the way; empty optionals leave the status as it was.
  std::optional<std::vector<std::string>> rows;
  std::optional<std::vector<std::string>> resolved;
  std::optional<std::vector<std::string>> pending;
  std::shared_ptr<const Plan> plan;
  std::string plan_hash;  // what an approval of it names (approved_plan.hpp)
  std::optional<ExecutionReport> report;
  std::vector<Blocker> blockers;
  std::vector<std::string> destructive;       // of the plan
  std::optional<milliseconds> requeue_after;  // Waiting: when time alone ends the wait
  std::optional<Approval> approval;           // that let the plan pass
  std::optional<BackupStatus> backup;         // taken or accepted by this reconcile
  bool backup_accepted = false;               // it was there already
  std::optional<Error> backup_error;          // there is none, and the plan was run all the same: it is not required
  std::optional<SourceStatus> source;
  std::optional<Error> source_doubt;  // the source could not be looked at: `source` is what it held last
  std::optional<JobStatus> job;
  std::shared_ptr<const ReportedRun> job_run;  // that has ended and was not told yet
  std::optional<ProgressStatus> progress;      // of a Job that runs
  bool planning = false;                       // the Job that runs only tells the plan
};

// What is known of a plan on its way to be run. Borrows everything.
struct RunNote {
  const Plan& plan;
  std::string plan_hash;  // what an approval of it names
  const std::vector<std::string>& destructive;
  const std::optional<Approval>& approval;
  const std::optional<BackupStatus>& backup;
  bool backup_accepted;
  const std::optional<Error>& backup_error;
};

[[nodiscard]] std::string_view outcome_name(Outcome::Kind kind);  // "done", "waiting", "stalled", "failed"

// The outcome of an error, by its retry class: Terminal stalls, Transient fails, Conflict fails and is tried at once; a lock
// held elsewhere and a stop request wait.
[[nodiscard]] Outcome outcome_of(Error error);

struct Attempt {
  std::int64_t failures = 0;  // in a row, this one included
  WallTime now;
  std::optional<milliseconds> retry_in;
};

// The status after the outcome, from the status before it.
[[nodiscard]] DatabaseMigrationStatus summarise(const DatabaseMigration& resource, const Outcome& outcome,
                                                const Attempt& attempt);
// The status while a run is under way, from the one before it: that of the last note, or transition times would move.
[[nodiscard]] DatabaseMigrationStatus summarise_backing_up(const DatabaseMigration& resource, const RunNote& note,
                                                           const std::string& message, WallTime now);
[[nodiscard]] DatabaseMigrationStatus summarise_running(const DatabaseMigration& resource, const RunNote& note,
                                                        const ProgressStatus& progress, WallTime now);

// Scheduled: after Outcome::requeue_after.
enum class Requeue : std::uint8_t { Resync, BackOff, AtOnce, Shortly, Scheduled, Never };
// `conflicts`: how often in a row the resource was tried at once already.
[[nodiscard]] Requeue next_attempt(const Outcome& outcome, int conflicts);

}  // namespace athanor::controller
