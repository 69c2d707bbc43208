// Runs the steps of a revision on a scratch database and observes every statement: the locks it takes on existing tables, the
// files it rewrites, the number of rows, and its duration.
//
// Locks are read from pg_locks after each statement of a transaction: those that the statement added. A statement outside a
// transaction has released its locks by then, so they are unknown.
//
// Threads: one thread. Ownership: borrows session and clock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct RehearsedLock {
  std::string relation;  // "public.orders"
  std::string mode;      // the strongest one, "AccessExclusiveLock"
};

struct RehearsedStatement {
  std::string revision;
  std::size_t step = 0;  // index in the revision
  StepKind kind = StepKind::Transaction;
  int line = 0;
  std::string sql;  // on one line, with its literals replaced
  bool locks_known = false;
  std::vector<RehearsedLock> locks{};   // on relations that existed before the revision, strongest first
  std::vector<std::string> rewrites{};  // tables and indexes that existed before and now have a new file
  std::int64_t rows = 0;
  milliseconds duration{0};
};

// If a statement failed, it is the last of `statements`, and the error's context is "line 14".
struct WatchedRun {
  std::vector<RehearsedStatement> statements{};
  std::optional<Error> error{};
};
// Runs the steps and stops at the first error.
[[nodiscard]] WatchedRun run_watched(Session& session, Clock& clock, const std::string& revision,
                                     std::span<const ScriptStep> steps);

// The strength of a lock mode, from 1 for AccessShareLock to 8 for AccessExclusiveLock; 0 for an unknown mode.
[[nodiscard]] int strength_of(const std::string& mode);

}  // namespace athanor
