#include "migrations/postgres/connect.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <chrono>

#include "migrations/postgres/connection_string.hpp"
#include "migrations/postgres/observer_session.hpp"
#include "migrations/postgres/pipeline_session.hpp"
#include "migrations/postgres/server_error.hpp"

namespace athanor::postgres {
namespace {

using SteadyClock = std::chrono::steady_clock;

// One attempt: started, polled to its end or the deadline. libpq's own connect_timeout counts whole seconds only.
Result<Connection> attempt(const ConnectionString& target, const std::string& application, const std::string& options,
                           milliseconds timeout) {
  std::vector<const char*> names;
  std::vector<const char*> values;
  const auto add = [&](const char* name, const char* value) {
    names.push_back(name);
    values.push_back(value);
  };
  for (const auto& [name, value] : target.keywords) {
    add(name.c_str(), value.c_str());
  }
  add("options", options.c_str());
  if (target.value("application_name").empty()) {
    add("application_name", application.c_str());
  }
  add("client_encoding", "UTF8");
  if (target.value("keepalives_idle").empty()) {
    add("keepalives_idle", "30");
    add("keepalives_interval", "10");
    add("keepalives_count", "3");
  }
  add(nullptr, nullptr);
  Connection connection(PQconnectStartParams(names.data(), values.data(), 0));
  if (!connection) {
    return fail(ErrorCode::Internal, "out of memory");
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);  // so that a refusal carries its SQLSTATE
  const auto deadline = SteadyClock::now() + timeout;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD && wanted != PGRES_POLLING_OK && wanted != PGRES_POLLING_FAILED) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - SteadyClock::now());
    pollfd descriptor{PQsocket(connection.get()), static_cast<short>(wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
    if (left.count() <= 0 || ::poll(&descriptor, 1, static_cast<int>(left.count())) == 0) {
      return fail(connect_error("timeout expired", target));
    }
    wanted = PQconnectPoll(connection.get());
  }
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    return fail(connect_error(PQerrorMessage(connection.get()), target));
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return connection;
}

// A server before version 14 does not know every setting: 42704 names an unknown parameter, 22023 one it cannot have.
bool wants_older_settings(const Error& error) {
  return error.sqlstate == "42704" || error.sqlstate == "22023";
}

Result<Connection> connect(const ConnectionString& target, const ExecutionSettings& settings) {
  auto modern = attempt(target, settings.application_name, session_options(settings, target.user_options, true),
                        settings.connect_timeout);
  if (modern || !wants_older_settings(modern.error())) {
    return modern;
  }
  auto older = attempt(target, settings.application_name, session_options(settings, target.user_options, false),
                       settings.connect_timeout);
  if (older && PQserverVersion(older->get()) >= 140000) {
    return modern;  // the parameter that failed was the user's own: say what the server said
  }
  return older;
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
};

PostgresFactory::PostgresFactory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PostgresFactory::~PostgresFactory() = default;

Result<std::unique_ptr<PostgresFactory>> PostgresFactory::create(const std::string& url, const ExecutionSettings& settings) {
  auto impl = std::make_unique<Impl>();
  TRY_ASSIGN(impl->target, parse_connection_string(url));
  impl->settings = settings;
  return std::unique_ptr<PostgresFactory>(new PostgresFactory(std::move(impl)));
}

Result<std::unique_ptr<Session>> PostgresFactory::open() {
  TRY_ASSIGN(auto connection, connect(impl_->target, impl_->settings));
  return std::make_unique<PipelineSession>(std::move(connection), impl_->target.place);
}

Result<std::unique_ptr<ReadSession>> PostgresFactory::open_observer() {
  std::string conninfo;
  for (const auto& [name, value] : impl_->target.keywords) {
    if (name != "application_name" && name != "connect_timeout") {
      append_keyword(conninfo, name, value);
    }
  }
  append_keyword(conninfo, "application_name", impl_->settings.application_name + " observer");
  append_keyword(conninfo, "connect_timeout", "5");
  append_keyword(conninfo, "options", "-c statement_timeout=5000ms -c lock_timeout=1000ms -c default_transaction_read_only=on");
  return open_observer_session(conninfo, impl_->target.place);
}

std::string PostgresFactory::describe() const {
  return impl_->target.place;
}

}  // namespace athanor::postgres
