#include "migrations/backup/dump_slot.hpp"

#include <algorithm>
#include <string>

#include "migrations/execute/blocker_rows.hpp"

namespace athanor {
namespace {

const std::string kKey = std::to_string(DumpSlot::kClass) + ", " + std::to_string(DumpSlot::kObject);

constexpr milliseconds kFirstPoll{100};
constexpr milliseconds kSlowestPoll{2'000};

constexpr std::string_view kColumns =
    "SELECT a.pid, a.application_name, a.usename, coalesce(a.client_addr::text, 'local socket'), a.state,"
    " to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), ''"
    " FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND ";

// Without our lock: the session that holds it. With our lock: dumps by other tools, and our own left over from a lost session.
Result<std::vector<Blocker>> others(Session& session, bool ours) {
  const std::string which =
      ours ? "a.application_name IN ('pg_dump', 'pg_dumpall', '" + std::string(DumpSlot::kApplication) + "')"
           : "a.pid IN (SELECT l.pid FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2"
             " AND l.database = a.datid AND l.classid = " +
                 std::to_string(DumpSlot::kClass) + " AND l.objid = " + std::to_string(DumpSlot::kObject) + ")";
  TRY_ASSIGN(const Rows rows, session.query(std::string(kColumns) + which));
  return read_blockers(rows);
}

Error busy(const std::vector<Blocker>& dumps) {
  const std::string who = dumps.empty() ? "another session" : describe_blocker(dumps.front());
  return Error(ErrorCode::LockHeld, "another dump of this database is running: " + who)
      .advise("wait for it to end, or raise backup.wait");
}

}  // namespace

Result<milliseconds> DumpSlot::acquire(Session& session, Clock& clock, const StopToken& stop, milliseconds deadline,
                                       BackupProgress& progress) {
  const auto start = clock.steady_now();
  milliseconds pause = kFirstPoll;
  bool ours = false;
  while (true) {
    // Keep the lock while waiting for other tools' dumps: it keeps our turn among Athanor's own.
    if (!ours) {
      TRY_ASSIGN(const Rows answer, session.query("SELECT pg_try_advisory_lock(" + kKey + ")"));
      ours = answer.text(0, 0) == "t";
    }
    // Other tools do not take our lock, so look for their dumps even while holding it.
    TRY_ASSIGN(const auto dumps, others(session, ours));
    const auto waited = std::chrono::duration_cast<milliseconds>(clock.steady_now() - start);
    if (ours && dumps.empty()) {
      return waited;
    }
    if (waited >= deadline) {
      return fail(busy(dumps));
    }
    progress.waiting(dumps, waited);
    if (!clock.wait(std::min(pause, deadline - waited), stop)) {
      return fail(Error(ErrorCode::Interrupted, "stopped while waiting for another dump; nothing was changed"));
    }
    pause = std::min(pause * 2, kSlowestPoll);
  }
}

void DumpSlot::release(Session& session) {
  if (session.alive()) {
    [[maybe_unused]] const auto released = session.query("SELECT pg_advisory_unlock(" + kKey + ")");
  }
}

}  // namespace athanor
