// Runs the steps of a revision on a scratch database and watches every statement: which locks it takes on tables that were
// there before, which files it writes anew, how many rows it concerns, how long it takes.
//
// Locks are read from pg_locks behind each statement of a transaction, so they are those that the statement added. A statement
// that runs outside a transaction has given its locks back by then: they are not known.
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
  std::string mode;      // "AccessExclusiveLock", the strongest
};

struct RehearsedStatement {
  std::string revision;
  std::size_t step = 0;  // of the revision, from 0
  StepKind kind = StepKind::Transaction;
  int line = 0;
  std::string sql;  // literals replaced, one line
  bool locks_known = false;
  std::vector<RehearsedLock> locks{};   // on relations that were there before the revision, strongest first
  std::vector<std::string> rewrites{};  // tables and indexes that were there before and have a new file now
  std::int64_t rows = 0;
  milliseconds duration{0};
};

// The failed statement is the last of `statements`; the error's context is "line 14".
struct WatchedRun {
  std::vector<RehearsedStatement> statements{};
  std::optional<Error> error{};
};
[[nodiscard]] WatchedRun run_watched(Session& session, Clock& clock, const std::string& revision,
                                     std::span<const ScriptStep> steps);

// How much a lock mode keeps others out: 1 for AccessShareLock to 8 for AccessExclusiveLock; 0: not a mode.
[[nodiscard]] int strength_of(const std::string& mode);

}  // namespace athanor
