// decide() determines what should happen to one database, as a pure function of declaration and observation.
//
// It is an ordered list of checks; the first that decides wins, so the order is the priority. Nothing here reads a file, a
// clock or a database. A target that needs a downgrade which the policy refuses is a separate decision (the database is
// ahead), not an error: after the rollback of an application it is the expected state and should not page anyone.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/plan/squashed_line.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// What decide() knows about the source and the database.
struct Situation {
  const RevisionGraph* graph = nullptr;
  // The source's own graph, set when `graph` extends it with revisions that only the ledger has: the database is ahead of the
  // source. Null otherwise.
  const RevisionGraph* files = nullptr;
  Observation database;
  std::vector<Blocker> lock_holders;       // queried only after an attempt found the lock held
  std::string claimed_by;                  // another resource that manages the same version table; empty: none
  std::optional<SquashedLine> squashed{};  // set when the database is in the middle of revisions that the source has squashed
};

struct Decision {
  enum class Kind : std::uint8_t { Suspended, Wait, Stalled, UpToDate, Plan, Apply };
  Kind kind = Kind::Stalled;
  Reason reason = Reason::InternalError;
  std::string message;
  std::optional<Error> error;  // set if a Stalled decision is an error
  // Plan and Apply.
  Direction direction = Direction::Upgrade;
  std::vector<std::string> targets;
  // Set if known.
  std::vector<std::string> resolved;  // ids that the target resolves to
  std::vector<std::string> pending;   // ids not applied yet, in order of application
};

// Runs the checks that need no database: a suspended resource's database is not connected to, and one that another resource
// owns is not observed further.
[[nodiscard]] std::optional<Decision> decide_early(const DatabaseMigration& resource, const std::string& claimed_by);
// Returns the resource that owned the database when this status was written; empty: this one did.
[[nodiscard]] std::string claimant_in(const DatabaseMigrationStatus& status);
[[nodiscard]] Decision decide(const DatabaseMigration& resource, const Situation& situation);

inline constexpr std::string_view kWaitsFor = "waits for ";
// "waits for a lock held by pid 4711, nightly-report, since 2026-11-21T02:10:00+00:00". `what`: "a lock".
[[nodiscard]] std::string lock_message(std::string_view what, const std::vector<Blocker>& holders);
// "the database is at a3, ahead of the declared target a1; raise ...". `in_source`: whether the source has a3.
[[nodiscard]] std::string ahead_message(const std::vector<std::string>& rows, const std::string& target, bool in_source = true);
// As ahead_message(), when policy.downgrade is Keep.
[[nodiscard]] std::string kept_message(const std::vector<std::string>& rows, const std::string& target);
// The error for a revision that stopped half-way and that the target does not include.
[[nodiscard]] Error unfinished_beyond(const std::string& revision, const std::string& target);
// Returns the condition reason for an error of the migration library.
[[nodiscard]] Reason reason_for(const Error& error);

}  // namespace athanor::controller
