#include "migrations/cli/database_wait.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "migrations/cli/secret_file.hpp"
#include "migrations/execute/descent.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/duration.hpp"

namespace athanor::cli {
namespace {

// Every check gets at least this long, however little time is left.
constexpr milliseconds kLeastPatience{1'000};

// The result of one check.
struct CheckResult {
  bool reached = false;
  bool unknown = false;  // cannot determine whether the revisions are applied
  std::string state;     // "db:5432/shop is at 8c1f0a2b7d3e"
  std::string hint;
};

// Whether the condition may change without any action on the waiting side. While a database is being created and migrated, the
// server may answer with almost any error: privileges are missing, a table is locked, the server shuts down. So this names the
// few errors that stay.
bool heals_by_itself(const Error& error) {
  switch (error.code) {
    case ErrorCode::Internal:
    case ErrorCode::Usage:
    case ErrorCode::Configuration:
    case ErrorCode::MissingDatabaseUrl:
    case ErrorCode::Io:
    case ErrorCode::PoolerRefused:
    case ErrorCode::UntrustedTable:
      return false;
    default:
      return true;
  }
}

std::string quoted_list(const std::vector<std::string>& ids) {
  std::string list;
  for (const std::string& id : ids) {
    list += (list.empty() ? "" : ", ") + printable(id, LineEnds::Escape);
  }
  return list;
}

// The configuration for one check: the password as it is now, because it may be rotated during the wait, and timeouts that do
// not exceed the remaining time.
Result<Configuration> as_of_now(const Configuration& configuration, const DatabaseWait& wait, milliseconds left) {
  Configuration now = configuration;
  const milliseconds patience = std::max(left, kLeastPatience);
  now.execution.connect_timeout = std::min(now.execution.connect_timeout, patience);
  now.execution.answer_timeout = std::min(now.execution.answer_timeout, patience);
  if (!wait.password_file.empty()) {
    TRY_ASSIGN(const std::string password, read_secret_file(wait.password_file));
    now.database_url = with_parameter(std::move(now.database_url), "password", password);
  }
  return now;
}

// Without the privilege to read the ledger, the rows of the version table still show the heads.
struct Seen {
  Observation observation;
  RecordedLineage lineage;
  bool ledger_hidden = false;
};

// A connection for one check.
class WaitConnection {
 public:
  [[nodiscard]] static Result<WaitConnection> connect(CommandContext& context, const Configuration& configuration,
                                                      bool reads_ledger) {
    WaitConnection connection;
    TRY_ASSIGN(connection.factory_, context.outside().connect(configuration.database_url, configuration.execution));
    MigratorSettings settings = migrator_settings(configuration);
    settings.reads_ledger = reads_ledger;
    connection.sink_ = std::make_unique<ProgressSink>();
    connection.migrator_ =
        std::make_unique<Migrator>(*connection.factory_, *context.outside().clock, std::move(settings), *connection.sink_);
    return connection;
  }
  [[nodiscard]] std::string describe() const { return factory_->describe(); }
  [[nodiscard]] Result<Seen> ask(const RevisionGraph& files) {
    Seen seen;
    TRY_ASSIGN(seen.observation, migrator_->observe());
    TRY_ASSIGN(seen.lineage, migrator_->recorded_lineage(files, seen.observation.current_heads));
    return seen;
  }

 private:
  WaitConnection() = default;

  // The migrator borrows the others, so it is destroyed first.
  std::unique_ptr<SessionFactory> factory_;
  std::unique_ptr<ProgressSink> sink_;
  std::unique_ptr<Migrator> migrator_;
};

Result<Seen> ask(CommandContext& context, const Configuration& configuration, const RevisionGraph& files,
                 std::string& described) {
  TRY_ASSIGN(WaitConnection connection, WaitConnection::connect(context, configuration, true));
  described = connection.describe();
  auto seen = connection.ask(files);
  if (seen || seen.error().code != ErrorCode::InsufficientPrivilege) {
    return seen;
  }
  // A role that may read the version table but not the ledger can still wait for a head.
  TRY_ASSIGN(WaitConnection narrow, WaitConnection::connect(context, configuration, false));
  auto rows = narrow.ask(files);
  if (!rows) {
    return seen;  // the first error says what to grant
  }
  rows->ledger_hidden = true;
  return rows;
}

std::string grants(const Configuration& configuration) {
  return "let this user read the ledger: GRANT USAGE ON SCHEMA " + configuration.ledger_schema +
         " TO …; GRANT SELECT ON ALL TABLES IN SCHEMA " + configuration.ledger_schema + " TO …";
}

CheckResult judge(const Seen& seen, const DatabaseWait& wait, const Configuration& configuration, const RevisionGraph& files,
                  const std::string& described) {
  CheckResult check;
  if (!seen.observation.has_version_table) {
    check.state = described + " has no version table yet";
    return check;
  }
  std::vector<std::string> absent;
  std::vector<std::string> unrecorded;
  for (const std::string& revision : wait.revisions) {
    Descent descent = find_applied(revision, seen.observation, seen.lineage, files);
    if (descent.answer != Descent::Answer::Applied) {
      absent.push_back(revision);
    }
    if (descent.answer == Descent::Answer::Unknown) {
      unrecorded = std::move(descent.unrecorded);
    }
  }
  check.reached = absent.empty();
  check.state = described + " is at " + join_revisions(seen.observation.current_heads);
  check.unknown = !unrecorded.empty();
  if (check.unknown) {
    check.state += "; whether that includes " + quoted_list(absent) + " is unknown: ";
    check.state += seen.ledger_hidden ? "this user has no permission to read the ledger"
                                      : "the ledger recorded no parents of " + quoted_list(unrecorded);
    check.hint = seen.ledger_hidden ? grants(configuration) : "pass the revision files: --migrations DIR";
  } else if (wait.revisions.size() > 1 && !check.reached) {
    check.state += ", without " + quoted_list(absent);
  }
  return check;
}

Result<CheckResult> observe_once(CommandContext& context, const Configuration& configuration, const DatabaseWait& wait,
                                 const RevisionGraph& files, milliseconds left) {
  TRY_ASSIGN(const Configuration now, as_of_now(configuration, wait, left));
  std::string described;
  TRY_ASSIGN(const Seen seen, ask(context, now, files, described));
  context.output().set_current(seen.observation.current_heads);
  return judge(seen, wait, now, files, described);
}

std::string awaited(const DatabaseWait& wait) {
  return (wait.revisions.size() == 1 ? "revision " : "revisions ") + quoted_list(wait.revisions);
}

// The error of a wait that timed out.
Error timed_out(const DatabaseWait& wait, const Result<CheckResult>& last) {
  const std::string beginning = awaited(wait) + (wait.revisions.size() == 1 ? " is not applied" : " are not applied") +
                                (wait.timeout.count() > 0 ? " after " + format_duration(wait.timeout) : std::string()) + ": ";
  if (!last) {
    Error error = last.error();
    error.message = beginning + error.message;
    if (exit_code(error.code) != exit_code(ErrorCode::DatabaseUnreachable)) {
      error.code = ErrorCode::DatabaseUnreachable;  // the exit code says that it could not be asked
    }
    return error;
  }
  return Error(last->unknown ? ErrorCode::UnknownDatabaseRevision : ErrorCode::NotUpToDate, beginning + last->state)
      .advise(last->hint.empty()
                  ? "see what the migration waits for: `kubectl get dbm`, or `athanor status` where the files are"
                  : last->hint);
}

}  // namespace

Result<void> wait_for_revisions(CommandContext& context, const Configuration& configuration, const DatabaseWait& wait,
                                const RevisionGraph& files) {
  Clock& clock = *context.outside().clock;
  const SteadyTime begin = clock.steady_now();
  const SteadyTime deadline = begin + wait.timeout;
  std::string reported;
  for (;;) {
    const auto left = [&] { return std::chrono::duration_cast<milliseconds>(deadline - clock.steady_now()); };
    const Result<CheckResult> check = observe_once(context, configuration, wait, files, left());
    const auto waited = std::chrono::duration_cast<milliseconds>(clock.steady_now() - begin);
    context.output().fields()["waited_ms"] = waited.count();
    if (check && check->reached) {
      const std::string state = check->state + ", which includes " + awaited(wait);
      context.output().line(printable(state, LineEnds::Escape));
      context.output().set_message(state);
      return {};
    }
    if (context.outside().stop.requested()) {
      return fail(Error(ErrorCode::Interrupted, "stopped while waiting for " + awaited(wait)));
    }
    if (!check && !heals_by_itself(check.error())) {
      return fail(check.error());
    }
    const std::string state = check ? check->state : check.error().describe();
    if (left().count() <= 0) {
      return fail(timed_out(wait, check));
    }
    if (state != std::exchange(reported, state)) {
      context.output().note("waiting for " + awaited(wait) + ": " + state);
    }
    clock.wait(std::min(wait.interval, left()), context.outside().stop);
  }
}

}  // namespace athanor::cli
