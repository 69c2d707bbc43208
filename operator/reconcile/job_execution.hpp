// Execution mode Job, as the reconciler sees it: a plan runs in a pod of its own, and the reconciler waits for it.
//
// The name of a Job follows from resource, plan and declaration, so that an operator which restarts finds the Job it made, and
// a failed attempt is not made again until something changed. The Job's own result is a hint; what was applied is read from the
// database.
//
// Threads: safe from any thread.
#pragma once

#include <optional>
#include <string>

#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct JobState {
  enum class Kind : std::uint8_t { Absent, Running, Succeeded, Failed };
  Kind kind = Kind::Absent;
  std::string name;
  std::string message;         // of a running one: what its pod waits for
  std::optional<Error> error;  // of a failed one: the run's own, from the termination message
};

class JobExecution {
 public:
  virtual ~JobExecution() = default;
  // The newest Job of this resource that has not ended, whatever its plan.
  [[nodiscard]] virtual Result<JobState> unfinished(const DatabaseMigration& resource) = 0;
  // The Job of this attempt.
  [[nodiscard]] virtual Result<JobState> find(const DatabaseMigration& resource, const std::string& attempt) = 0;
  // `plan` is null when only a pod can read the source.
  [[nodiscard]] virtual Result<JobState> start(const DatabaseMigration& resource, const std::string& attempt,
                                               const Plan* plan) = 0;
};

}  // namespace athanor::controller
