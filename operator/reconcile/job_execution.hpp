// Execution mode Job, as the reconciler sees it: a plan runs in a pod of its own, and the reconciler waits for it.
//
// A Job carries what it was made for: the attempt (plan and declaration) that its name follows from, so that an operator which
// restarts finds the Job it made; and the declaration alone, so that what a half-applied plan left to do is known as the same
// attempt. The Job's own result is a hint; what was applied is read from the database.
//
// Threads: safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// What is asked of a Job. A source that only a pod can read is planned by one Job and migrated by another, which is held to the
// first one's plan.
struct JobRequest {
  enum class Work : std::uint8_t { Migrate, Plan };
  std::string attempt;            // a name follows from it
  std::string declaration;        // what was declared, whatever the database said
  const Plan* plan = nullptr;     // null: only a pod can read the source
  std::vector<std::string> from;  // rows of the version table before it
  Work work = Work::Migrate;
  const SourceSnapshot* source = nullptr;  // that the plan was made from; null: only a pod can read it
};

// How a run ended by its own account: what `athanor --report` left in the termination message.
struct JobReport {
  std::string run_id;
  std::vector<std::string> current_heads;  // at its end
  std::string failed_revision;
  int failed_line = 0;
  std::string failed_statement;  // sanitised
  std::optional<Error> error;
  // Of a Job that planned: as much of the plan as a reviewer is told. Its revisions are all there; all but the first are empty.
  std::shared_ptr<const Plan> plan;
  std::vector<std::string> destructive;
  bool ahead = false;  // there was nothing to upgrade because the database is ahead of the target
};

struct JobState {
  enum class Kind : std::uint8_t { Absent, Running, Succeeded, Failed };
  Kind kind = Kind::Absent;
  std::string name;
  std::string uid;
  bool begun = false;               // of a running one: a pod of it was started
  bool deleting = false;            // of a running one: it goes when its pods have ended
  std::string message;              // of a running one: what its pod waits for; of a failed one: what the cluster says
  std::optional<JobReport> report;  // of one that ended and could say how
  // As it was asked for.
  std::string attempt;
  std::string declaration;
  JobRequest::Work work = JobRequest::Work::Migrate;
  std::int64_t generation = 0;
  std::string plan_hash;       // empty: only the pod knew
  std::int64_t revisions = 0;  // of the plan
  std::vector<std::string> from;
  std::optional<WallTime> created;
  std::optional<WallTime> ended;

  [[nodiscard]] bool has_ended() const { return kind == Kind::Succeeded || kind == Kind::Failed; }
};

class JobExecution {
 public:
  virtual ~JobExecution() = default;
  // The newest Job of this resource; one that has not ended comes before all that have.
  [[nodiscard]] virtual Result<JobState> newest(const DatabaseMigration& resource) = 0;
  // What speaks against such a Job, whenever it would be made. FileTooLarge: the source cannot be handed to a pod.
  [[nodiscard]] virtual Result<void> check(const DatabaseMigration& resource, const JobRequest& request) = 0;
  // What speaks against making such a Job now: everything is asked, nothing is made. Asked before work that would be in vain.
  [[nodiscard]] virtual Result<void> dry_run_create(const DatabaseMigration& resource, const JobRequest& request) = 0;
  // Takes back a Job that has not ended. It is there until its pods have ended.
  [[nodiscard]] virtual Result<void> withdraw(const DatabaseMigration& resource, const JobState& job) = 0;
  // A Job of the same attempt that has ended makes way.
  [[nodiscard]] virtual Result<JobState> start(const DatabaseMigration& resource, const JobRequest& request) = 0;
};

}  // namespace athanor::controller
