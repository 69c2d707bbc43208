// What a run did: the revisions it applied, why it stopped, and who blocked it.
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/error.hpp"
#include "migrations/execute/observation.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/session/blocker.hpp"

namespace athanor {

struct ExecutedRevision {
  std::string revision;
  Direction direction = Direction::Upgrade;
  milliseconds duration{0};
};

// Partial failure is data: the revisions in `executed` are in the database, whatever `error` says.
struct ExecutionReport {
  std::string run_id;
  std::vector<ExecutedRevision> executed;
  // Rows of the version table as the run leaves them: of a run that failed as they were read afterwards, and nothing when the
  // database could not be asked.
  std::optional<std::vector<std::string>> current_heads;
  std::optional<UnfinishedStep> unfinished;  // the revision that is half-applied now; read after a failure alone
  std::optional<Error> error;                // why it stopped early
  std::string failed_revision;
  std::string failed_statement;   // sanitised
  int failed_line = 0;            // in the revision's file
  std::vector<Blocker> blockers;  // as last seen, when it was a lock
  int lock_retries = 0;
  milliseconds duration{0};
  milliseconds lock_waited{0};
  [[nodiscard]] bool ok() const { return !error.has_value(); }
};

}  // namespace athanor
