#include "migrations/backup/database_swap.hpp"

#include <utility>

#include "migrations/backup/new_database.hpp"
#include "migrations/base/ids.hpp"
#include "migrations/execute/migration_lock.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr int kAttempts = 40;
constexpr milliseconds kPause{250};
constexpr std::string_view kInUse = "55006";

std::string rename_sql(const std::string& from, const std::string& to) {
  return "ALTER DATABASE " + quote_identifier(from) + " RENAME TO " + quote_identifier(to);
}

std::string allow_sql(const std::string& name, bool allowed) {
  return "ALTER DATABASE " + quote_identifier(name) + " ALLOW_CONNECTIONS " + (allowed ? "true" : "false");
}

Result<void> require_lock(Session& holder) {
  const auto held = MigrationLock::is_held(holder);
  if (held && *held) {
    return {};
  }
  return fail(Error(ErrorCode::ConnectionLost,
                    "the migration lock of the old database was lost during the restore, so another run may have migrated it; "
                    "nothing was changed")
                  .advise("check the database, then restore again"));
}

}  // namespace

Result<void> DatabaseSwap::rename(const std::string& from, const std::string& to) {
  for (int attempt = 1;; ++attempt) {
    auto done = session_.execute_autocommit(rename_sql(from, to));
    if (done) {
      return {};
    }
    // A session that just ended, or autovacuum, may still be in the database.
    if (done.error().sqlstate != kInUse || attempt == kAttempts) {
      return fail(std::move(done).error().at("renaming the restored database to '" + to + "'"));
    }
    clock_.wait(kPause, StopToken());
  }
}

Result<void> DatabaseSwap::drop(const std::string& name) {
  constexpr int kHasForce = 130'000;
  TRY(session_.execute_autocommit("DROP DATABASE IF EXISTS " + quote_identifier(name) +
                                  (session_.server_version() >= kHasForce ? " WITH (FORCE)" : "")));
  return {};
}

Result<std::string> DatabaseSwap::previous_name(const std::string& name) {
  std::string ending = "before_";
  for (const char c : format_iso8601(clock_.wall_now()).substr(0, 19)) {
    if (c != '-' && c != ':') {
      ending += c == 'T' ? '_' : c;
    }
  }
  std::string previous = derived_name(name, ending);
  TRY_ASSIGN(const Rows rows, session_.query("SELECT 1 FROM pg_database WHERE datname = $1", {previous}));
  // Two restores within a second need different names.
  return rows.empty() ? previous : derived_name(name, ending + "_" + random_hex(4));
}

// When the lock's holder is the only session left, it is certain that no migration ran while the restore took place.
Result<void> DatabaseSwap::empty_of_others(const std::string& name, Session& holder) {
  for (int attempt = 1;; ++attempt) {
    // Ignores what it cannot terminate (autovacuum, or a session it has no right to): the swap then fails and reports it.
    TRY_ASSIGN(const Rows others,
               session_.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2::int"
                              " AND backend_type = 'client backend'",
                              {name, std::to_string(holder.backend_pid())}));
    // Sessions end asynchronously: repeat until none is listed.
    if (others.empty() || attempt == kAttempts) {
      break;
    }
    clock_.wait(kPause, StopToken());
  }
  return require_lock(holder);
}

Result<void> DatabaseSwap::exchange(const std::string& name, const std::string& fresh, const std::string& previous) {
  // One transaction: no client ever sees the name without a database. The old database accepts connections again under its new
  // name.
  const Transaction swap{
      {{rename_sql(name, previous), {}, ""}, {rename_sql(fresh, name), {}, ""}, {allow_sql(previous, true), {}, ""}}, false};
  for (int attempt = 1;; ++attempt) {
    // Before every attempt: an autovacuum worker may start although connections are not allowed.
    TRY(session_.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
                       {name}));
    TRY(session_.submit(swap));
    TRY_ASSIGN(TransactionOutcome outcome, session_.collect());
    if (!outcome.error) {
      return {};
    }
    if (session_.alive()) {
      TRY(session_.recover());
    }
    if (outcome.error->sqlstate != kInUse || attempt == kAttempts) {
      return fail(std::move(*outcome.error).at("renaming the databases"));
    }
    clock_.wait(kPause, StopToken());
  }
}

Result<std::string> DatabaseSwap::replace(const std::string& name, const std::string& fresh, std::unique_ptr<Session> holder) {
  TRY_ASSIGN(std::string previous, previous_name(name));
  // Verify the lock before and after disconnecting everyone: the first check spares a needless outage, the second decides.
  TRY(require_lock(*holder));
  // From here until the swap no new session can connect, so the set of sessions to disconnect only shrinks.
  TRY(session_.execute_autocommit(allow_sql(name, false)));
  auto swapped = empty_of_others(name, *holder);
  // A database cannot be renamed while a session is connected to it, so ours must go too. Nobody can take its place.
  holder.reset();
  if (swapped) {
    swapped = exchange(name, fresh, previous);
  }
  if (!swapped) {
    // Undo ALLOW_CONNECTIONS false, or the old database would stay unreachable.
    if (auto open = session_.execute_autocommit(allow_sql(name, true)); !open) {
      swapped.error().hint = "the old database does not accept connections; run: " + allow_sql(name, true);
    }
    return fail(std::move(swapped).error());
  }
  return previous;
}

}  // namespace athanor
