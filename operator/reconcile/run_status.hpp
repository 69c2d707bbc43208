// The status while a run is under way: progress, what it waits for, and the heads it has reached so far.
//
// Threads: pure functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/outcome.hpp"

namespace athanor::controller {

// What a run waits for that another session holds.
struct LockWait {
  bool migration_lock = false;  // else a lock that a statement needs
  std::string revision;         // whose statement it is
  std::vector<Blocker> holders;
  bool operator==(const LockWait&) const = default;
};

// A run under way.
struct RunState {
  ProgressStatus progress;
  std::optional<LockWait> wait;
};

// The status during a run. `resource` holds the status of the previous update, or transition times would move.
[[nodiscard]] DatabaseMigrationStatus summarise_backing_up(const DatabaseMigration& resource, const PlanReview& review,
                                                           const std::string& message, WallTime now);
[[nodiscard]] DatabaseMigrationStatus summarise_running(const DatabaseMigration& resource, const PlanReview& review,
                                                        const Observed& observed, const RunState& run, WallTime now);

}  // namespace athanor::controller
