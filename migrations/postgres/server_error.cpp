#include "migrations/postgres/server_error.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

#include "migrations/base/sqlstate.hpp"
#include "migrations/postgres/message_values.hpp"

namespace athanor::postgres {
namespace {

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0 || std::isupper(c) != 0; });
}

// A field of a report; empty when it is missing.
std::string_view field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// RAISE and ASSERT of PL/pgSQL: an author wrote their texts, like the revision's file.
bool is_authored(const PGresult* result) {
  const auto function = field(result, PG_DIAG_SOURCE_FUNCTION);
  return function == "exec_stmt_raise" || function == "exec_stmt_assert" || field(result, PG_DIAG_SQLSTATE) == "P0001";
}

struct Texts {
  std::string primary;
  std::string hint;
};

Texts texts_of(const PGresult* result, const MessageSource& source) {
  const std::string primary = without_password(field(result, PG_DIAG_MESSAGE_PRIMARY), source.password);
  const std::string hint = without_password(field(result, PG_DIAG_MESSAGE_HINT), source.password);
  if (source.show_values || is_authored(result)) {
    return {one_safe_line(primary), one_safe_line(hint)};
  }
  MessageNames names;
  constexpr std::array kNames = {int{PG_DIAG_SCHEMA_NAME}, int{PG_DIAG_TABLE_NAME}, int{PG_DIAG_COLUMN_NAME},
                                 int{PG_DIAG_CONSTRAINT_NAME}, int{PG_DIAG_DATATYPE_NAME}};
  for (const int code : kNames) {
    if (const auto name = field(result, code); !name.empty()) {
      names.fields.push_back(name);
    }
  }
  const auto sqlstate = field(result, PG_DIAG_SQLSTATE);
  std::string safe_hint = one_safe_line(mask_values(hint, sqlstate, names));  // it suggests names from the catalog
  std::string sql;
  if (!source.sql.empty()) {
    // The query inside a function's body is code, not data.
    sql = std::string(source.sql) + "\n" + std::string(field(result, PG_DIAG_INTERNAL_QUERY));
    names.sql = sql;
  }
  return {one_safe_line(mask_values(primary, sqlstate, names)), std::move(safe_hint)};
}

struct BodyPlace {
  std::string function;
  int line = 0;
};

// "PL/pgSQL function f(integer) line 3 at RAISE": the innermost function of CONTEXT. Other lines of CONTEXT show SQL.
BodyPlace body_place(std::string_view context) {
  constexpr std::string_view kStart = "PL/pgSQL function ";
  constexpr std::string_view kLine = " line ";
  while (!context.empty()) {
    const std::string_view line = context.substr(0, context.find('\n'));
    const auto at = line.rfind(kLine);
    if (line.starts_with(kStart) && at != std::string_view::npos && at > kStart.size()) {
      return {one_safe_line(line.substr(kStart.size(), at - kStart.size())), number(line.substr(at + kLine.size()))};
    }
    context.remove_prefix(std::min(context.size(), line.size() + 1));
  }
  return {};
}

// Hints for SQLSTATEs whose message gives no advice.
std::string own_hint(std::string_view sqlstate) {
  struct Advice {
    std::string_view sqlstate;
    std::string_view hint;
  };
  static constexpr std::array kAdvice{
      Advice{"55P04",
             "a new enum value can be used only after its transaction commits: add it in a separate revision or autocommit "
             "step before the one that uses it"},
      Advice{"2D000",
             "a revision cannot end its own transaction: remove COMMIT and ROLLBACK, or move the CALL into an autocommit step"},
      Advice{"3F000", "create the schema first, or set execution.search_path to one that exists"},
      Advice{"25006",
             "the server or the role is read-only: use the URL of the primary (target_session_attrs=read-write), and check "
             "default_transaction_read_only"},
      Advice{"42501",
             "run as the owner, or set execution.role to a role with the privilege; in a revision, check its SET ROLE"},
  };
  const auto* const found = std::ranges::find(kAdvice, sqlstate, &Advice::sqlstate);
  return found == kAdvice.end() ? std::string() : std::string(found->hint);
}

// From "permission denied for schema public": the privilege to grant and its object.
std::string grant_hint(std::string_view primary) {
  struct Grant {
    std::string_view kind;
    std::string_view privileges;
  };
  static constexpr std::array kGrants{Grant{"schema ", "USAGE, CREATE ON SCHEMA "}, Grant{"database ", "CREATE ON DATABASE "},
                                      Grant{"table ", "the privilege ON TABLE "}, Grant{"sequence ", "USAGE ON SEQUENCE "},
                                      Grant{"function ", "EXECUTE ON FUNCTION "}};
  constexpr std::string_view kDenied = "permission denied for ";
  if (!primary.starts_with(kDenied)) {
    return {};
  }
  const std::string_view what = primary.substr(kDenied.size());
  for (const auto& grant : kGrants) {
    if (what.starts_with(grant.kind)) {
      const std::string_view name = what.substr(grant.kind.size());
      return "GRANT " + std::string(grant.privileges) + std::string(name) + " TO the role of the run" +
             (what == "schema public" ? " (since PostgreSQL 15 only its owner may create in it)" : "") +
             ", or run as the owner";
    }
  }
  return {};
}

Error error_of(std::string sqlstate, Texts texts) {
  Error error(code_of_sqlstate(sqlstate), std::move(texts.primary));
  error.retry = retry_of_sqlstate(sqlstate);
  error.hint = std::move(texts.hint);
  // The server's own hint is more specific than ours.
  if (error.hint.empty() && sqlstate == "42501") {
    error.hint = grant_hint(error.message);
  }
  if (error.hint.empty()) {
    error.hint = own_hint(sqlstate);
  }
  error.sqlstate = std::move(sqlstate);
  return error;
}

}  // namespace

Error server_error(std::string sqlstate, std::string_view primary_message) {
  std::string message = one_safe_line(mask_values(primary_message, sqlstate));
  return error_of(std::move(sqlstate), {std::move(message), ""});
}

Error result_error(const PGresult* result, const MessageSource& source) {
  const auto state = field(result, PG_DIAG_SQLSTATE);
  if (state.empty() || PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) == nullptr) {
    return {ErrorCode::ConnectionLost, "the connection to the database was lost"};
  }
  Error error = error_of(std::string(state), texts_of(result, source));
  error.position = number(field(result, PG_DIAG_STATEMENT_POSITION));
  const BodyPlace place = body_place(field(result, PG_DIAG_CONTEXT));
  if (place.function == "inline_code_block") {
    error.body_line = place.line;
  } else if (place.line > 0) {
    error.message += " (PL/pgSQL function " + place.function + ", line " + std::to_string(place.line) + ")";
  }
  return error;
}

ServerMessage server_message(const PGresult* notice, const MessageSource& source) {
  Texts texts = texts_of(notice, source);
  return {one_safe_line(field(notice, PG_DIAG_SEVERITY_NONLOCALIZED)), one_safe_line(field(notice, PG_DIAG_SQLSTATE)),
          std::move(texts.primary), std::move(texts.hint)};
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

namespace {

// Why a connection failed, from the words of libpq's message: libpq provides no code.
Error cause_of(std::string_view report, const std::string& place) {
  struct Cause {
    std::string_view text;
    std::string_view message;
    std::string_view hint;
    ErrorCode code = ErrorCode::DatabaseUnreachable;
  };
  static constexpr std::array kCauses{
      Cause{"efinition of service", "the service named by `service` or PGSERVICE is not in any service file",
            "check the service name, PGSERVICEFILE and ~/.pg_service.conf", ErrorCode::Configuration},
      Cause{"service file", "cannot read the connection service file", "check PGSERVICEFILE and ~/.pg_service.conf",
            ErrorCode::Configuration},
      Cause{"private key", "the private key of `sslkey` cannot be used",
            "sslkey must name a file that is owned by you or root and that nobody else can read", ErrorCode::Configuration},
      Cause{"root certificate file", "cannot read the file given by `sslrootcert`",
            "name the file with the certificate of the authority, or use sslrootcert=system if libpq supports it",
            ErrorCode::Configuration},
      Cause{"certificate file", "cannot read the file given by `sslcert`", "name the file with the client certificate",
            ErrorCode::Configuration},
      Cause{"hot standby mode", "the server does not match target_session_attrs",
            "use the URL of a server that matches, or list several hosts"},
      Cause{"session is ", "the server does not match target_session_attrs",
            "use the URL of a server that matches, or list several hosts"},
      Cause{"could not translate host name", "the host name cannot be resolved", "check the host of DATABASE_URL"},
      Cause{"Connection refused", "connection refused", "check host and port of DATABASE_URL, and that the server is running"},
      Cause{"No such file or directory", "there is no server on the local socket",
            "check host and port of DATABASE_URL; without a host the local socket is used"},
      Cause{"timeout expired", "timeout expired", "check host, port and firewalls, or raise execution.connect_timeout"},
      Cause{"server does not support SSL", kNoTls,
            "turn TLS on at the server (ssl = on), or accept plain text with sslmode=disable"},
      Cause{
          "channel binding",
          "the server requests another password exchange than SCRAM with channel binding, which require_auth demands over TLS",
          "set password_encryption to scram-sha-256 and the password again; for a pooler or MD5, verify the server "
          "(sslmode=verify-full without require_auth) or allow require_auth=password,md5,scram-sha-256",
          ErrorCode::AuthenticationFailed},
      // libpq 15 says no more.
      Cause{"certificate verify failed",
            "TLS certificate rejected: it is not signed by a trusted authority, or it is expired or not yet valid",
            "check its dates and its issuer, and name the authority's certificate with sslrootcert"},
      Cause{"does not match host name", "TLS certificate rejected: it is for another host name",
            "connect by a name that the certificate has"},
      Cause{"certificate", "TLS certificate rejected", "check sslmode, sslrootcert and the host name"},
      Cause{"SSL", "TLS negotiation failed", "check sslmode of DATABASE_URL"},
      Cause{"server closed the connection", "the server closed the connection during startup", "check the server log"},
  };
  for (const auto& cause : kCauses) {
    if (report.find(cause.text) != std::string_view::npos) {
      return Error(cause.code, "cannot connect to " + place + ": " + std::string(cause.message))
          .advise(std::string(cause.hint));
    }
  }
  return Error(ErrorCode::DatabaseUnreachable, "cannot connect to " + place)
      .advise("check host, port, database and sslmode of DATABASE_URL");
}

}  // namespace

Error connect_error(std::string_view report, const ConnectionString& target, std::string_view password) {
  const std::string& place = target.place;
  const std::string state = sqlstate_of(report);
  const auto says = [&](std::string_view text) { return report.find(text) != std::string_view::npos; };
  if (state == "28P01" || state == "28000") {
    return Error(ErrorCode::AuthenticationFailed, "the database at " + place + " rejected the user or the password")
        .advise("check user and password of DATABASE_URL, and the server's pg_hba.conf")
        .with_sqlstate(state);
  }
  if (says("no password supplied")) {
    return Error(ErrorCode::AuthenticationFailed, "the database at " + place + " requires a password, and the URL has none")
        .advise("put the password into DATABASE_URL, or use PGPASSFILE");
  }
  if (state == "3D000") {
    return Error(ErrorCode::DatabaseUnreachable, "the database of " + place + " does not exist")
        .advise("create it, or check the database name of DATABASE_URL")
        .with_sqlstate(state);
  }
  if (state == "08P01" && says("unsupported startup parameter")) {
    return Error(ErrorCode::PoolerRefused, "a connection pooler is running at " + place + " instead of PostgreSQL")
        .advise("migrations need a dedicated session: use the URL of the server itself");
  }
  if (!state.empty()) {
    const auto at = report.find(state + ": ");
    Error error = server_error(state, without_password(report.substr(at + 7), password));
    error.code = ErrorCode::DatabaseUnreachable;
    error.message = "the database at " + place + " refused the connection: " + error.message;
    // Too many connections, starting up, shutting down: most refusals pass.
    error.retry = RetryClass::Transient;
    return error;
  }
  return cause_of(report, place);
}

}  // namespace athanor::postgres
