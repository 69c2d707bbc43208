// Computes the status during a run: progress, what it waits for, and the heads it has reached.
//
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

// A lock of another session that the run waits for.
struct LockWait {
  bool migration_lock = false;  // otherwise a lock that a statement needs
  std::string revision;         // the statement's revision
  std::vector<Blocker> holders;
  bool operator==(const LockWait&) const = default;
};

// The state of a run in progress.
struct RunState {
  ProgressStatus progress;
  std::optional<LockWait> wait;
};

// Return the status during a run. `resource` must have the status of the previous update; otherwise transition times would
// change.
[[nodiscard]] DatabaseMigrationStatus summarise_backing_up(const DatabaseMigration& resource, const PlanReview& review,
                                                           const std::string& message, WallTime now);
[[nodiscard]] DatabaseMigrationStatus summarise_rehearsing(const DatabaseMigration& resource, const PlanReview& review,
                                                           const Observed& observed, const std::string& message, WallTime now);
[[nodiscard]] DatabaseMigrationStatus summarise_running(const DatabaseMigration& resource, const PlanReview& review,
                                                        const Observed& observed, const RunState& run, WallTime now);

}  // namespace athanor::controller
