// decide(): what should happen to one database, as a pure function of what was declared and what was seen.
//
// A decision is the first verdict of an ordered list of checks; the order is the priority. Nothing here reads a file, a clock
// or a database. A target that would need a downgrade which the policy refuses is its own verdict (the database is ahead), not
// an error: after a rollback of an application that is the expected state, and nobody should be paged for a broken tool.
//
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "migrations/graph/graph.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct Situation {
  const RevisionGraph* graph = nullptr;
  Observation database;
  std::vector<Blocker> lock_holders;  // looked for only after an attempt met the lock
  std::string claimed_by;             // another resource that manages the same version table; empty: none
};

struct Decision {
  enum class Kind : std::uint8_t { Suspended, Wait, Stalled, UpToDate, Plan, Apply };
  Kind kind = Kind::Stalled;
  Reason reason = Reason::InternalError;
  std::string message;
  std::optional<Error> error;  // what the status tells about a Stalled verdict that is an error
  // Plan and Apply.
  Direction direction = Direction::Upgrade;
  std::vector<std::string> targets;
  // Where known.
  std::vector<std::string> resolved;  // ids the target means
  std::vector<std::string> pending;   // ids not applied yet, in order of application
};

// Before anything else: a suspended resource is not even connected to, in a contested database nothing else is looked at.
[[nodiscard]] std::optional<Decision> decide_early(const DatabaseMigration& resource, const std::string& claimed_by);
// The resource that had the database when this status was written; empty: it was not refused for another.
[[nodiscard]] std::string claimant_in(const DatabaseMigrationStatus& status);
[[nodiscard]] Decision decide(const DatabaseMigration& resource, const Situation& situation);

// "the database is at a3, ahead of the declared target a1".
[[nodiscard]] std::string ahead_of_target(const std::vector<std::string>& rows, const std::string& target);
// Of a revision whose steps were begun, where nothing is left to do for the target.
[[nodiscard]] Error unfinished_beyond(const std::string& revision, const std::string& target);
// The reason that a core error shows as.
[[nodiscard]] Reason reason_for(const Error& error);

}  // namespace athanor::controller
