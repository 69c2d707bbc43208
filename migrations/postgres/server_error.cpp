#include "migrations/postgres/server_error.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "migrations/base/sqlstate.hpp"
#include "migrations/base/utf8.hpp"

namespace athanor::postgres {
namespace {

constexpr std::size_t kMaxMessage = 500;

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; });
}

// `invalid input syntax for type integer: "4111-1111"` must not carry the card number further.
std::string without_values(std::string_view message) {
  const auto quoted = message.find(": \"");
  return std::string(quoted == std::string_view::npos ? message : message.substr(0, quoted));
}

// Always UTF-8, though not every server's encoding is known to it: what is no text can neither be stored nor told as JSON.
std::string one_line(std::string_view message) {
  return std::string(cut_at_character(well_formed(message.substr(0, message.find('\n'))), kMaxMessage));
}

}  // namespace

Error server_error(std::string sqlstate, std::string_view primary_message) {
  std::string message = one_line(primary_message);
  if (sqlstate.starts_with("22")) {
    message = without_values(message);
  }
  Error error(code_of_sqlstate(sqlstate), std::move(message));
  error.retry = retry_of_sqlstate(sqlstate);
  error.sqlstate = std::move(sqlstate);
  return error;
}

Error result_error(const PGresult* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr || primary == nullptr) {
    return {ErrorCode::ConnectionLost, "the connection to the database was lost"};
  }
  return server_error(state, primary);
}

Error connection_lost(const std::string& place) {
  return Error(ErrorCode::ConnectionLost, "the connection to " + place + " was lost")
      .advise("run the same command again: it continues from what the database holds");
}

std::string sqlstate_of(std::string_view report) {
  // "FATAL:  28P01: password authentication failed …", perhaps after "connection to server at …:".
  for (std::size_t at = report.find(":  "); at != std::string_view::npos; at = report.find(":  ", at + 1)) {
    const auto state = report.substr(at + 3, 5);
    if (is_sqlstate(state) && report.substr(at + 8, 2) == ": ") {
      return std::string(state);
    }
  }
  return {};
}

Error connect_error(std::string_view report, const ConnectionString& target) {
  const std::string& place = target.place;
  const std::string state = sqlstate_of(report);
  const auto says = [&](std::string_view text) { return report.find(text) != std::string_view::npos; };
  if (state == "28P01" || state == "28000") {
    return Error(ErrorCode::AuthenticationFailed, "the database at " + place + " refused the user or its password")
        .advise("check user and password of DATABASE_URL, and the server's pg_hba.conf")
        .with_sqlstate(state);
  }
  if (says("no password supplied")) {
    return Error(ErrorCode::AuthenticationFailed, "the database at " + place + " asks for a password and the URL has none")
        .advise("put the password into DATABASE_URL, or use PGPASSFILE");
  }
  if (state == "3D000") {
    return Error(ErrorCode::DatabaseUnreachable, "the database of " + place + " does not exist")
        .advise("create it, or check the database name of DATABASE_URL")
        .with_sqlstate(state);
  }
  if (state == "08P01" && says("unsupported startup parameter")) {
    return Error(ErrorCode::PoolerRefused, "a connection pooler answers at " + place + " instead of PostgreSQL")
        .advise("migrations need a session of their own: give the URL of the server itself");
  }
  if (!state.empty()) {
    const auto at = report.find(state + ": ");
    Error error = server_error(state, report.substr(at + 7));
    error.code = ErrorCode::DatabaseUnreachable;
    error.message = "the database at " + place + " refused the connection: " + error.message;
    error.retry = RetryClass::Transient;
    return error;
  }
  struct Cause {
    std::string_view text;
    std::string_view message;
    std::string_view hint;
  };
  static constexpr std::array kCauses{
      Cause{"could not translate host name", "the host name cannot be resolved", "check the host of DATABASE_URL"},
      Cause{"Connection refused", "nothing listens there", "check host and port of DATABASE_URL, and that the server runs"},
      Cause{"No such file or directory", "there is no server on the local socket",
            "check host and port of DATABASE_URL; without a host the local socket is used"},
      Cause{"timeout expired", "no answer in time", "check host, port and firewalls, or raise execution.connect_timeout"},
      Cause{"certificate", "its TLS certificate was not accepted", "check sslmode, sslrootcert and the host name"},
      Cause{"SSL", "TLS could not be agreed on", "check sslmode of DATABASE_URL"},
      Cause{"server closed the connection", "it closed the connection while starting", "look into the server's log"},
  };
  for (const auto& cause : kCauses) {
    if (says(cause.text)) {
      return Error(ErrorCode::DatabaseUnreachable, "cannot connect to " + place + ": " + std::string(cause.message))
          .advise(std::string(cause.hint));
    }
  }
  return Error(ErrorCode::DatabaseUnreachable, "cannot connect to " + place)
      .advise("check host, port, database and sslmode of DATABASE_URL");
}

}  // namespace athanor::postgres
