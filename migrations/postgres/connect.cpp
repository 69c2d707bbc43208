#include "migrations/postgres/connect.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "migrations/postgres/connection_string.hpp"
#include "migrations/postgres/connection_values.hpp"
#include "migrations/postgres/observer_session.hpp"
#include "migrations/postgres/pipeline_session.hpp"
#include "migrations/postgres/server_error.hpp"

namespace athanor::postgres {
namespace {

constexpr milliseconds kListenAtMost{2};

using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kStopPatience{2'000};  // after a stop request, an almost finished connection may still be useful

// Keywords and values in the form that libpq takes.
class Keywords {
 public:
  void add(std::string name, std::string value) { pairs_.emplace_back(std::move(name), std::move(value)); }
  [[nodiscard]] PGconn* start() const {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : pairs_) {
      names.push_back(name.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    return PQconnectStartParams(names.data(), values.data(), 0);
  }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

// With empty `options`, sends none.
Keywords keywords_of(const ConnectionString& target, const std::string& application, const std::string& options) {
  Keywords keywords;
  for (const auto& [name, value] : target.keywords) {
    keywords.add(name, value);
  }
  if (!options.empty()) {
    keywords.add("options", options);
  }
  // The user's own name in the URL takes precedence.
  if (target.value("application_name").empty()) {
    keywords.add("application_name", application);
  }
  keywords.add("client_encoding", "UTF8");
  // A dead network is noticed after 30 + 3 × 10 seconds when idle, and after tcp_user_timeout while sending.
  if (target.value("keepalives_idle").empty()) {
    keywords.add("keepalives_idle", "30");
    keywords.add("keepalives_interval", "10");
    keywords.add("keepalives_count", "3");
  }
  if (target.value("tcp_user_timeout").empty()) {
    keywords.add("tcp_user_timeout", "60000");
  }
  return keywords;
}

struct Patience {
  milliseconds timeout;
  StopToken stop;
};

// One attempt, polled until it succeeds, fails or reaches the deadline. libpq's own connect_timeout has whole seconds only.
Result<Connection> attempt(const ConnectionString& target, const std::string& application, const std::string& options,
                           const Patience& patience) {
  Connection connection(keywords_of(target, application, options).start());
  if (!connection) {
    return fail(ErrorCode::Internal, "out of memory");
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);  // a refusal then contains its SQLSTATE
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  const auto deadline = SteadyClock::now() + patience.timeout;
  std::optional<SteadyTime> stop_seen;
  // As libpq documents: start as if PQconnectPoll() had asked to write.
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD && wanted != PGRES_POLLING_OK && wanted != PGRES_POLLING_FAILED) {
    const auto now = SteadyClock::now();
    if (now >= deadline) {
      return fail(connect_error("timeout expired", target));
    }
    if (patience.stop.requested()) {
      stop_seen = stop_seen.value_or(now);
      if (now - *stop_seen >= kStopPatience) {
        return fail(ErrorCode::Interrupted, "stopped on request while connecting to " + target.place);
      }
    }
    const auto slice = std::min(std::chrono::ceil<milliseconds>(deadline - now), kListenEvery);
    pollfd descriptor{PQsocket(connection.get()), static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (::poll(&descriptor, 1, static_cast<int>(slice.count())) > 0) {
      wanted = PQconnectPoll(connection.get());
    }
  }
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    return fail(connect_error(PQerrorMessage(connection.get()), target));
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return connection;
}

// The first value of the answer; empty when the connection broke, a stop was requested or the time ran out.
std::optional<std::string> ask(PGconn* connection, const char* question, const Patience& patience) {
  const auto deadline = SteadyClock::now() + patience.timeout;
  std::optional<std::string> value;
  if (PQsendQuery(connection, question) == 0) {
    return std::nullopt;
  }
  while (SteadyClock::now() < deadline && !patience.stop.requested()) {
    if (PQisBusy(connection) != 0) {
      pollfd descriptor{PQsocket(connection), POLLIN, 0};
      if (::poll(&descriptor, 1, static_cast<int>(kListenEvery.count())) > 0 && PQconsumeInput(connection) == 0) {
        return std::nullopt;
      }
      continue;
    }
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQgetResult(connection), PQclear);
    if (!result) {
      return value;
    }
    if (PQntuples(result.get()) > 0) {
      value = PQgetvalue(result.get(), 0, 0);
    }
  }
  return std::nullopt;
}

// Whether a role or database sets transaction_timeout, which would end the session in the middle of a migration. Servers before
// version 17 do not know this setting, and refuse a connection that sets it.
bool limits_transactions(PGconn* connection, const Patience& patience) {
  return PQserverVersion(connection) >= kFirstWithTransactionTimeout &&
         ask(connection, "SHOW transaction_timeout", patience) != "0";
}

// A server before version 14 does not know every setting: 42704 is an unknown parameter, 22023 an invalid value.
bool wants_older_settings(const Error& error) {
  return error.sqlstate == "42704" || error.sqlstate == "22023";
}

struct Opened {
  Connection connection;
  bool pinned = true;
};

// Reading does not need the pinned settings, except those that decide what is read: another role or search_path sees other
// tables.
bool readable_without_options(const ConnectionString& target, const ExecutionSettings& settings) {
  return settings.role.empty() && settings.search_path.empty() && target.user_options.empty() && !has_environment_options();
}

// Blames the user's options for a setting that the server does not know, does not accept or does not let this user set. The
// server knows all of ours.
Error blame_options(Error error, const ConnectionString& target) {
  constexpr std::array<std::string_view, 4> kSettings{"42704", "22023", "42501", "55P02"};
  const bool has_options = !target.user_options.empty() || has_environment_options();
  if (has_options && std::ranges::find(kSettings, error.sqlstate) != kSettings.end()) {
    error.code = ErrorCode::Configuration;
    error.retry = RetryClass::Terminal;
    error.hint = target.user_options.empty()
                     ? "look at PGOPTIONS: the server must know the setting, and the user may set it"
                     : "look at `options` of the database URL, and at PGOPTIONS: the server must know the "
                       "setting, and the user may set it";
  }
  return error;
}

Result<Opened> connect(const ConnectionString& target, const ExecutionSettings& settings, const StopToken& stop) {
  const Patience patience{connect_timeout(target, settings.connect_timeout), stop};
  const std::string& application = settings.application_name;
  // Start with the settings of version 14: all but the oldest servers accept them in a single attempt.
  auto modern = attempt(target, application, session_options(settings, target.user_options, 140000), patience);
  if (modern && limits_transactions(modern->get(), patience)) {
    modern =
        attempt(target, application, session_options(settings, target.user_options, kFirstWithTransactionTimeout), patience);
  }
  if (modern) {
    return Opened{std::move(*modern)};
  }
  // Such a pooler rejects the startup parameter `options`: connect without it, for reading only.
  if (modern.error().code == ErrorCode::PoolerRefused && readable_without_options(target, settings)) {
    auto unpinned = attempt(target, application, "", patience);
    if (unpinned) {
      return Opened{std::move(*unpinned), false};
    }
  }
  if (!wants_older_settings(modern.error())) {
    return fail(blame_options(std::move(modern).error(), target));
  }
  auto older = attempt(target, application, session_options(settings, target.user_options, 130000), patience);
  if (!older) {
    return fail(blame_options(std::move(older).error(), target));
  }
  if (PQserverVersion(older->get()) >= 140000) {
    // A current server knows all of ours, so the user's own parameter failed.
    return fail(blame_options(std::move(modern).error(), target));
  }
  return Opened{std::move(*older)};
}

void append_keyword(std::string& conninfo, const std::string& name, const std::string& value) {
  conninfo += name + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') {
      conninfo += '\\';
    }
    conninfo += c;
  }
  conninfo += "' ";
}

}  // namespace

struct PostgresFactory::Impl {
  ConnectionString target;
  ExecutionSettings settings;
  StopToken stop;
};

PostgresFactory::PostgresFactory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PostgresFactory::~PostgresFactory() = default;

Result<std::unique_ptr<PostgresFactory>> PostgresFactory::create(const std::string& url, const ExecutionSettings& settings,
                                                                 const StopToken& stop) {
  auto impl = std::make_unique<Impl>();
  TRY_ASSIGN(impl->target, parse_connection_string(url));
  TRY(check_environment_options());
  TRY(check_tls_files(impl->target.keywords));
  impl->settings = settings;
  impl->stop = stop;
  return std::unique_ptr<PostgresFactory>(new PostgresFactory(std::move(impl)));
}

Result<std::unique_ptr<Session>> PostgresFactory::open() {
  const ExecutionSettings& settings = impl_->settings;
  TRY_ASSIGN(Opened opened, connect(impl_->target, settings, impl_->stop));
  // Only after connecting, which polls the real socket.
  auto socket = MeteredSocket::take_over(opened.connection.get());
  if (!socket) {
    return fail(ErrorCode::Io, "too many open files: there is no descriptor for the connection to " + impl_->target.place);
  }
  StreamSettings stream;
  stream.place = impl_->target.place;
  stream.answer_timeout = settings.answer_timeout + settings.lock_timeout + settings.statement_timeout;
  stream.stop_grace = settings.stop_grace;
  if (settings.lock_timeout.count() > 0) {  // leaves time to query who holds a lock before the wait times out
    stream.listen_every = std::clamp(settings.lock_timeout / 4, kListenAtMost, kListenEvery);
  }
  stream.stop = impl_->stop;
  stream.show_values = settings.show_values;
  return std::make_unique<PipelineSession>(std::move(opened.connection), std::move(socket), std::move(stream), opened.pinned);
}

Result<std::unique_ptr<ReadSession>> PostgresFactory::open_observer() {
  std::string conninfo;
  for (const auto& [name, value] : impl_->target.keywords) {
    // The observer has its own, shorter limits.
    if (name != "application_name" && name != "connect_timeout" && name != "tcp_user_timeout") {
      append_keyword(conninfo, name, value);
    }
  }
  append_keyword(conninfo, "application_name", impl_->settings.application_name + " observer");
  append_keyword(conninfo, "connect_timeout", "5");
  append_keyword(conninfo, "tcp_user_timeout", "10000");
  append_keyword(conninfo, "options", "-c statement_timeout=5000ms -c lock_timeout=1000ms -c default_transaction_read_only=on");
  return open_observer_session(conninfo, impl_->target.place);
}

std::string PostgresFactory::describe() const {
  return impl_->target.place;
}

}  // namespace athanor::postgres
