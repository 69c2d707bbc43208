#include "migrations/postgres/connect.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "migrations/postgres/authentication_gate.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "migrations/postgres/connection_values.hpp"
#include "migrations/postgres/observer_session.hpp"
#include "migrations/postgres/pipeline_session.hpp"
#include "migrations/postgres/server_error.hpp"
#include "migrations/text/allowed_authentication.hpp"

namespace athanor::postgres {
namespace {

constexpr milliseconds kListenAtMost{2};
constexpr milliseconds kObserverConnects{5'000};

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

// Establishes one connection. If authentication methods are restricted, the messages of an unencrypted server pass a gate.
class Handshake {
 public:
  Handshake(PGconn* connection, const AllowedAuthentication& allowed) : connection_(connection), allowed_(allowed) {}

  [[nodiscard]] bool is_over() const {
    return PQstatus(connection_) == CONNECTION_BAD || wanted_ == PGRES_POLLING_OK || wanted_ == PGRES_POLLING_FAILED;
  }
  // The descriptor and event to wait for before proceed().
  [[nodiscard]] pollfd awaited() const {
    return gate_ ? pollfd{gate_->server(), POLLIN, 0}
                 : pollfd{PQsocket(connection_), static_cast<short>(wanted_ == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
  }
  [[nodiscard]] Result<void> proceed() {
    if (gate_) {
      TRY_ASSIGN(const bool has_input, gate_->pass_inward());
      if (!has_input) {
        return {};
      }
    }
    wanted_ = PQconnectPoll(connection_);
    const ConnStatusType status = PQstatus(connection_);
    if (gate_) {
      if (status != CONNECTION_AWAITING_RESPONSE && status != CONNECTION_AUTH_OK) {
        gate_.reset();  // libpq closed this socket: it failed, or tries the next host
      } else if (!gate_->pass_outward()) {
        return fail(ErrorCode::DatabaseUnreachable, "the server closed the connection during startup");
      } else if (gate_->is_done()) {
        gate_->step_aside(connection_);
        gate_.reset();
      }
    } else if (!allowed_.all() && status == CONNECTION_AWAITING_RESPONSE && PQsslInUse(connection_) == 0) {
      gate_ = AuthenticationGate::stand_before(connection_, allowed_);
      if (!gate_) {
        return fail(ErrorCode::Io, "too many open files to open a connection");
      }
    }
    return {};
  }

 private:
  PGconn* connection_;
  AllowedAuthentication allowed_;
  std::unique_ptr<AuthenticationGate> gate_;
  PostgresPollingStatusType wanted_ = PGRES_POLLING_WRITING;  // libpq's documentation: start as if it had asked to write
};

// Polls a started connection until it succeeds, fails or reaches the deadline. libpq's own connect_timeout has whole seconds
// only.
Result<Connection> complete(Connection connection, const ConnectionString& target, const AllowedAuthentication& allowed,
                            const Patience& patience) {
  if (!connection) {
    return fail(ErrorCode::Internal, "out of memory");
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);  // so that a refusal carries its SQLSTATE
  PQsetNoticeReceiver(
      connection.get(), [](void*, const PGresult*) {}, nullptr);
  const auto deadline = SteadyClock::now() + patience.timeout;
  std::optional<SteadyTime> stop_seen;
  Handshake handshake(connection.get(), allowed);
  while (!handshake.is_over()) {
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
    pollfd descriptor = handshake.awaited();
    if (::poll(&descriptor, 1, static_cast<int>(slice.count())) > 0) {
      TRY(handshake.proceed());
    }
  }
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    const char* const password = PQpass(connection.get());
    return fail(connect_error(PQerrorMessage(connection.get()), target, password == nullptr ? "" : password));
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return connection;
}

// On an encrypted connection only libpq sees which method the server requests, and channel binding is what restricts it: libpq
// then answers nothing but SCRAM, from a server that holds the key of its certificate. Where the server may have the password
// in plain text, no other method could reveal more.
bool needs_channel_binding(const ConnectionString& target) {
  return !target.allowed_authentication.password && target.may_send_password();
}

// Whether the server let us in without a password although it had to ask for one. A method that needs none (GSS) cannot be told
// from no method at all, so it does not count where `none` is excluded.
bool skipped_authentication(PGconn* connection, const AllowedAuthentication& allowed) {
  const bool encrypted = PQsslInUse(connection) != 0;  // otherwise the gate saw the request
  return encrypted && !allowed.none && PQconnectionUsedPassword(connection) == 0;
}

// Completes an attempt on a connection that is encrypted.
Result<Connection> complete_encrypted(Connection started, const ConnectionString& target, const Patience& patience) {
  TRY_ASSIGN(Connection made, complete(std::move(started), target, target.allowed_authentication, patience));
  if (skipped_authentication(made.get(), target.allowed_authentication)) {
    return fail(Error(ErrorCode::AuthenticationFailed, "the server did not ask for the password, which require_auth demands")
                    .advise("allow it with `none` in require_auth, or correct the server's pg_hba.conf"));
  }
  return made;
}

// One attempt, or two if sslmode leaves open whether the connection is encrypted.
Result<Connection> attempt(const ConnectionString& target, const std::string& application, const std::string& options,
                           const Patience& patience) {
  const Keywords keywords = keywords_of(target, application, options);
  const AllowedAuthentication& allowed = target.allowed_authentication;
  if (allowed.all()) {
    return complete(Connection(keywords.start()), target, allowed, patience);
  }
  const std::string mode = target.effective_ssl_mode();
  if (mode == "disable") {
    return complete(Connection(keywords.start()), target, allowed, patience);
  }
  Keywords encrypted = keywords;
  if (needs_channel_binding(target)) {
    encrypted.add("channel_binding", "require");
  }
  const bool may_be_plain = mode == "allow" || mode == "prefer";
  if (may_be_plain) {
    encrypted.add("sslmode", "require");
  }
  auto made = complete_encrypted(Connection(encrypted.start()), target, patience);
  if (made || !may_be_plain || made.error().message.find(kNoTls) == std::string::npos) {
    return made;
  }
  Keywords plain = keywords;
  plain.add("sslmode", "disable");
  return complete(Connection(plain.start()), target, allowed, patience);
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
    error.hint = target.user_options.empty() ? "check PGOPTIONS: the setting must exist, and the user must be allowed to set it"
                                             : "check `options` of the database URL, and PGOPTIONS: the setting must exist, "
                                               "and the user must be allowed to set it";
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
    return fail(ErrorCode::Io, "too many open files to open the connection to " + impl_->target.place);
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
  ConnectionString target = impl_->target;
  std::erase_if(target.keywords, [](const auto& keyword) {
    // The observer has its own, shorter limits.
    return keyword.first == "application_name" || keyword.first == "connect_timeout" || keyword.first == "tcp_user_timeout";
  });
  target.keywords.emplace_back("tcp_user_timeout", "10000");
  const std::string application = impl_->settings.application_name + " observer";
  // The thread that connects may outlive this factory.
  return open_observer_session(
      [target = std::move(target), application]() -> Result<Connection> {
        return attempt(target, application,
                       "-c statement_timeout=5000ms -c lock_timeout=1000ms -c default_transaction_read_only=on",
                       {kObserverConnects, {}});
      },
      impl_->target.place);
}

std::string PostgresFactory::describe() const {
  return impl_->target.place;
}

}  // namespace athanor::postgres
