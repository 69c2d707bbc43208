#include "migrations/execute/migration_lock.hpp"

#include <algorithm>
#include <charconv>

#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

const std::string kKey = std::to_string(MigrationLock::kClass) + ", " + std::to_string(MigrationLock::kObject);

constexpr milliseconds kFirstPoll{50};
constexpr milliseconds kSlowestPoll{1'000};

}  // namespace

Command MigrationLock::try_command() {
  return {"SELECT pg_try_advisory_lock(" + kKey + ")", {}, ""};
}

std::string describe_blocker(const Blocker& blocker) {
  std::string text = "pid " + std::to_string(blocker.pid) + " (";
  text += blocker.application.empty() ? "unnamed application" : blocker.application;
  if (!blocker.user.empty()) {
    text += ", user " + blocker.user;
  }
  if (!blocker.client.empty()) {
    text += " from " + blocker.client;
  }
  if (!blocker.since.empty()) {
    text += ", since " + blocker.since;
  }
  return text + ")";
}

std::vector<Blocker> read_blockers(const Rows& rows) {
  std::vector<Blocker> blockers;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    Blocker& blocker = blockers.emplace_back();
    const std::string pid = rows.text(i, 0);
    std::from_chars(pid.data(), pid.data() + pid.size(), blocker.pid);
    blocker.application = rows.text(i, 1);
    blocker.user = rows.text(i, 2);
    blocker.client = rows.text(i, 3);
    blocker.state = rows.text(i, 4);
    blocker.since = rows.text(i, 5);
    const std::string query = rows.text(i, 6);
    blocker.query = query.empty() ? query : sanitise_sql(query);
  }
  return blockers;
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
