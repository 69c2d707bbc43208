#include "migrations/execute/migration_lock.hpp"

#include <algorithm>

#include "migrations/execute/blocker_rows.hpp"

namespace athanor {
namespace {

constexpr milliseconds kFirstPoll{50};
constexpr milliseconds kSlowestPoll{1'000};

// The condition on pg_locks as `l` for our lock. objsubid 2 marks an advisory lock with two int4 keys.
std::string ours() {
  return "l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.objsubid OPERATOR(pg_catalog.=) 2 AND l.classid"
         " OPERATOR(pg_catalog.=) " +
         std::to_string(MigrationLock::kClass) + "::pg_catalog.oid AND l.objid OPERATOR(pg_catalog.=) " +
         std::to_string(MigrationLock::kObject) + "::pg_catalog.oid";
}

}  // namespace

const std::string& MigrationLock::key() {
  static const std::string key = std::to_string(kClass) + ", " + std::to_string(kObject);
  return key;
}

Command MigrationLock::try_command() {
  return {"SELECT pg_catalog.pg_try_advisory_lock(" + key() + ")", {}, ""};
}

Result<bool> MigrationLock::is_held(ReadSession& session) {
  TRY_ASSIGN(const Rows rows, session.query("SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l WHERE " + ours() +
                                            " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())"));
  return rows.text(0, 0) == "t";
}

Result<std::vector<Blocker>> MigrationLock::holders(ReadSession& session) {
  // pg_locks shows all databases, and the lock has the same key in each.
  TRY_ASSIGN(
      const Rows rows,
      session.query(
          "SELECT " + blocker_columns("a.backend_start") +
          " FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid WHERE " +
          ours() +
          " AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname"
          " OPERATOR(pg_catalog.=) pg_catalog.current_database())"));
  return read_blockers(rows);
}

Result<milliseconds> MigrationLock::acquire(Session& session, Clock& clock, const StopToken& stop, const Wait& wait) {
  const auto start = clock.steady_now();
  milliseconds pause = kFirstPoll;
  while (true) {
    TRY_ASSIGN(const Rows answer, session.query(try_command().sql));
    const auto waited = std::chrono::duration_cast<milliseconds>(clock.steady_now() - start);
    if (answer.text(0, 0) == "t") {
      return waited;
    }
    // The holder may be gone since the attempt: then the list is empty and the next attempt may succeed.
    TRY_ASSIGN(const auto holders, MigrationLock::holders(session));
    if (waited >= wait.deadline) {
      const std::string who = holders.empty() ? "another session" : describe_blocker(holders.front());
      return fail(Error(ErrorCode::LockHeld, "another migration holds the lock of this database: " + who)
                      .advise("wait for it to finish, or end that session; `athanor status` shows the holder"));
    }
    if (wait.report) {
      wait.report(holders, waited);
    }
    if (!clock.wait(std::min(pause, wait.deadline - waited), stop)) {
      return fail(Error(ErrorCode::Interrupted, "stopped while waiting for the migration lock; nothing was changed"));
    }
    pause = std::min(pause * 2, kSlowestPoll);
  }
}

Result<void> MigrationLock::release(Session& session) {
  TRY_ASSIGN(const Rows answer, session.query("SELECT pg_catalog.pg_advisory_unlock(" + key() + ")"));
  if (answer.text(0, 0) != "t") {
    return fail(ErrorCode::Internal, "the migration lock was not held at the end of the run: a statement released it");
  }
  return {};
}

}  // namespace athanor
