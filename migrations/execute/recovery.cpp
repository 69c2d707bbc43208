#include "migrations/execute/recovery.hpp"

#include <algorithm>

namespace athanor {
namespace {

constexpr milliseconds kFirstPause{100};
constexpr milliseconds kLongestPause{5'000};

Result<std::unique_ptr<Session>> reconnect(SessionFactory& factory, Clock& clock, const StopToken& stop, milliseconds limit) {
  const auto start = clock.steady_now();
  milliseconds pause = kFirstPause;
  while (true) {
    auto session = factory.open();
    if (session || session.error().retry != RetryClass::Transient || clock.steady_now() - start + pause > limit) {
      return session;
    }
    if (!clock.wait(pause, stop)) {
      return session;
    }
    pause = std::min(pause * 2, kLongestPause);
  }
}

// in progress → wait; committed, aborted → answer; too old or another server → nothing.
Result<std::optional<bool>> transaction_status(Session& session, Clock& clock, const StopToken& stop,
                                               const std::string& transaction_id, milliseconds limit) {
  const auto start = clock.steady_now();
  while (true) {
    auto answer = session.query("SELECT pg_xact_status($1::xid8)", {transaction_id});
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

Result<LostRun> resolve_lost_run(SessionFactory& factory, Clock& clock, const StopToken& stop, const MigratorSettings& settings,
                                 const VersionTable& versions, const Ledger& ledger, const std::string& run_id,
                                 const std::string& transaction_id, std::unique_ptr<Session>& session) {
  session.reset();
  const auto limit = settings.execution.lock_wait;
  TRY_ASSIGN(session, reconnect(factory, clock, stop, limit));
  LostRun found;
  found.run_id = run_id;
  found.transaction_id = transaction_id;
  if (!transaction_id.empty()) {
    TRY_ASSIGN(found.transaction_committed, transaction_status(*session, clock, stop, transaction_id, limit));
  }
  // The old backend holds the lock until it is gone: having it means that nothing of the old session can still commit.
  TRY(MigrationLock::acquire(*session, clock, stop, {limit, nullptr}));
  TRY_ASSIGN(const Rows rows, session->query(versions.select_statement()));
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    found.current_heads.push_back(rows.text(i, 0));
  }
  std::ranges::sort(found.current_heads);
  const Command select = ledger.select_run(run_id);
  TRY_ASSIGN(const Rows committed, session->query(select.sql, select.parameters));
  for (std::size_t i = 0; i < committed.rows.size(); ++i) {
    found.committed.insert(committed.text(i, 0));
  }
  return found;
}

}  // namespace athanor
