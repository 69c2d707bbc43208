#include "migrations/execute/migration_lock.hpp"

#include <algorithm>

#include "migrations/execute/blocker_rows.hpp"

namespace athanor {
namespace {

const std::string kKey = std::to_string(MigrationLock::kClass) + ", " + std::to_string(MigrationLock::kObject);

constexpr milliseconds kFirstPoll{50};
constexpr milliseconds kSlowestPoll{1'000};

}  // namespace

Command MigrationLock::try_command() {
  return {"SELECT pg_try_advisory_lock(" + kKey + ")", {}, ""};
}

Result<bool> MigrationLock::is_held(ReadSession& session) {
  TRY_ASSIGN(const Rows rows, session.query("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND"
                                            " objsubid = 2 AND pid = pg_backend_pid() AND classid = " +
                                            std::to_string(kClass) + " AND objid = " + std::to_string(kObject) + ")"));
  return rows.text(0, 0) == "t";
}

Result<std::vector<Blocker>> MigrationLock::holders(ReadSession& session) {
  TRY_ASSIGN(
      const Rows rows,
      session.query("SELECT a.pid, a.application_name, a.usename, coalesce(a.client_addr::text, 'local socket'), a.state,"
                    " to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), a.query"
                    " FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid"
                    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid = " +
                    std::to_string(kClass) + " AND l.objid = " + std::to_string(kObject) +
                    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
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
    TRY_ASSIGN(const auto holders, MigrationLock::holders(session));
    if (waited >= wait.deadline) {
      const std::string who = holders.empty() ? "another session" : describe_blocker(holders.front());
      return fail(Error(ErrorCode::LockHeld, "another migration holds the lock of this database: " + who)
                      .advise("wait for it to end, or end that session; `athanor status` shows the holder"));
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
  TRY_ASSIGN(const Rows answer, session.query("SELECT pg_advisory_unlock(" + kKey + ")"));
  if (answer.text(0, 0) != "t") {
    return fail(ErrorCode::Internal, "the migration lock was not held at the end of the run: a statement released it");
  }
  return {};
}

}  // namespace athanor
