// The result of a run: the revisions it applied, why it stopped, and which sessions blocked it.
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/error.hpp"
#include "migrations/execute/observation.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/session/blocker.hpp"

namespace athanor {

struct ExecutedRevision {
  std::string revision;
  Direction direction = Direction::Upgrade;
  milliseconds duration{0};
};

// A run may fail part-way: the revisions in `executed` are in the database even when `error` is set.
struct ExecutionReport {
  std::string run_id;
  std::vector<ExecutedRevision> executed;
  // Rows of the version table after the run. After a failure they are read again; empty when the database could not be queried.
  std::optional<std::vector<std::string>> current_heads;
  std::size_t purged_rows = 0;               // rows that a purge deleted before anything was stamped
  std::optional<UnfinishedStep> unfinished;  // the revision that is half-applied now; set only after a failure
  std::optional<Error> error;                // why the run stopped early
  std::string failed_revision;
  std::string failed_statement;   // sanitised
  int failed_line = 0;            // 1-based line in the revision's file; 0: unknown
  std::vector<Blocker> blockers;  // as last observed, when a lock was the cause
  int lock_retries = 0;
  milliseconds duration{0};
  milliseconds lock_waited{0};
  [[nodiscard]] bool ok() const { return !error.has_value(); }
};

}  // namespace athanor
