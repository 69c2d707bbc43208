#include "migrations/execute/recovery.hpp"

#include <algorithm>

#include "migrations/execute/migration_lock.hpp"

namespace athanor {
namespace {

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};

Result<std::unique_ptr<Session>> reconnect(SessionFactory& factory, Clock& clock, const StopToken& stop, milliseconds limit) {
  const auto start = clock.steady_now();
  milliseconds pause = kFirstPause;
  while (true) {
    auto session = factory.open();
    // Only a transient error, such as a restart or a failover, can pass while waiting.
    if (session || session.error().retry != RetryClass::Transient || clock.steady_now() - start + pause > limit) {
      return session;
    }
    if (!clock.wait(pause, stop)) {
      return session;
    }
    pause = std::min(pause * 2, kLongestPause);
  }
}

// Polls while the transaction is in progress. Empty when the server cannot tell: the id is too old, or it is another server
// after a failover.
Result<std::optional<bool>> transaction_status(Session& session, Clock& clock, const StopToken& stop,
                                               const std::string& transaction_id, milliseconds limit) {
  const auto start = clock.steady_now();
  while (true) {
    auto answer = session.query("SELECT pg_catalog.pg_xact_status($1::pg_catalog.xid8)", {transaction_id});
    // pg_xact_status() fails for an id from the future, as the id may be on another server after a failover.
    if (!answer) {
      return std::optional<bool>{};
    }
    const std::string status = answer->text(0, 0);
    if (status == "committed" || status == "aborted") {
      return std::optional<bool>(status == "committed");
    }
    if (status != "in progress" || clock.steady_now() - start > limit || !clock.wait(milliseconds(200), stop)) {
      return std::optional<bool>{};
    }
  }
}

}  // namespace

Result<ResolvedRun> resolve_lost_run(const LostRun& run, SessionFactory& factory, Clock& clock, const StopToken& stop,
                                     std::unique_ptr<Session>& session) {
  // Close the old session first: its backend must not keep the lock because we hold its connection.
  session.reset();
  const auto limit = run.settings.execution.lock_wait;
  TRY_ASSIGN(session, reconnect(factory, clock, stop, limit));
  ResolvedRun found;
  if (!run.transaction_id.empty()) {
    TRY_ASSIGN(found.transaction_committed, transaction_status(*session, clock, stop, run.transaction_id, limit));
  }
  // The old backend holds the lock until it exits. Once we have the lock, nothing of the old session can commit any more.
  TRY(MigrationLock::acquire(*session, clock, stop, {limit, nullptr}));
  TRY_ASSIGN(const Rows heads, session->query(run.versions.select_statement()));
  for (std::size_t i = 0; i < heads.rows.size(); ++i) {
    found.current_heads.push_back(heads.text(i, 0));
  }
  std::ranges::sort(found.current_heads);
  const Command select = run.ledger.history().select_run(run.run_id);
  TRY_ASSIGN(const Rows committed, session->query(select.sql, select.parameters));
  for (std::size_t i = 0; i < committed.rows.size(); ++i) {
    found.committed.insert(committed.text(i, 0));
  }
  return found;
}

}  // namespace athanor
