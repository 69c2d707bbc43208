// The reconciler's interface to execution mode Job: a plan runs in its own pod, and the reconciler waits for it.
//
// A Job records what it was created for: the attempt (plan and declaration), which determines its name, so that a restarted
// operator finds it again; and the declaration alone, so that the rest of a half-applied plan is recognised as the same
// attempt. The Job's own result is only a hint; what was applied is read from the database.
//
// Threads: safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/lint/lint_summary.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// What a Job should do. If only a pod can read the source, one Job plans and another one migrates, bound to that plan.
struct JobRequest {
  enum class Work : std::uint8_t { Migrate, Plan };
  std::string attempt;            // determines the Job's name
  std::string declaration;        // independent of the state of the database
  const Plan* plan = nullptr;     // null: only a pod can read the source
  std::vector<std::string> from;  // rows of the version table before the run
  Work work = Work::Migrate;
  const SourceSnapshot* source = nullptr;  // the source of the plan; null: only a pod can read it
};

// A run's own report: what `athanor --report` wrote into the termination message.
struct JobReport {
  std::string run_id;
  std::optional<std::vector<std::string>> current_heads;  // at its end; nullopt if unknown
  std::string failed_revision;
  int failed_line = 0;
  std::string failed_statement;  // sanitised
  std::optional<Error> error;
  // For a planning Job: as much of the plan as a reviewer needs. All its revisions are listed, but only the first ones have
  // content.
  std::shared_ptr<const Plan> plan;
  std::vector<std::string> destructive;
  std::optional<LintSummary> lint;  // of that plan
  bool ahead = false;               // there was nothing to upgrade because the database is ahead of the target
};

struct JobState {
  enum class Kind : std::uint8_t { Absent, Running, Succeeded, Failed };
  Kind kind = Kind::Absent;
  std::string name;
  std::string uid;
  bool begun = false;               // for a running Job: its pod was started
  bool deleting = false;            // for a running Job: it is deleted when its pods have ended
  std::string message;              // for a running Job: what its pod waits for; for a failed one: the cluster's reason
  std::optional<JobReport> report;  // for an ended Job, if it left one
  // Copied from its request.
  std::string attempt;
  std::string declaration;
  JobRequest::Work work = JobRequest::Work::Migrate;
  std::int64_t generation = 0;
  std::string plan_hash;       // empty: known only to the pod
  std::int64_t revisions = 0;  // of the plan
  std::vector<std::string> from;
  std::optional<WallTime> created;
  std::optional<WallTime> ended;

  [[nodiscard]] bool has_ended() const { return kind == Kind::Succeeded || kind == Kind::Failed; }
};

class JobExecution {
 public:
  virtual ~JobExecution() = default;
  // Returns the newest Job of this resource. A Job that has not ended comes before all that have.
  [[nodiscard]] virtual Result<JobState> newest(const DatabaseMigration& resource) = 0;
  // Checks whether such a Job is possible, without a request to the API server. Error: FileTooLarge when the source does not
  // fit into a pod.
  [[nodiscard]] virtual Result<void> check(const DatabaseMigration& resource, const JobRequest& request) = 0;
  // Creates the Job with dryRun=All: quotas and admission are checked, nothing is created.
  [[nodiscard]] virtual Result<void> dry_run_create(const DatabaseMigration& resource, const JobRequest& request) = 0;
  // Deletes a Job that has not ended. It stays visible until its pods have ended.
  [[nodiscard]] virtual Result<void> withdraw(const DatabaseMigration& resource, const JobState& job) = 0;
  // Creates the Job, or finds the one of the same attempt that has not ended. Replaces an ended Job of the same attempt.
  [[nodiscard]] virtual Result<JobState> start(const DatabaseMigration& resource, const JobRequest& request) = 0;
};

}  // namespace athanor::controller
