// Turns errors and messages of libpq and the server into texts that are safe to publish.
//
// Keeps a report's SQLSTATE, primary message, HINT, position in the statement, and line of the PL/pgSQL body. Drops DETAIL (it
// shows row values), LINE and CONTEXT (they show SQL) and URI errors (they show the password). Masks values in the rest
// (message_values.hpp), except with --show-values. The text of an author's RAISE or ASSERT is not masked.
//
// Threads: pure functions.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "migrations/base/error.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

// The source of a server message.
struct MessageSource {
  bool show_values = false;
  std::string_view sql = {};       // the migration's statement; empty for our own queries, whose names are no secret
  std::string_view password = {};  // of the connection; never shown
};

// The error of a failed result.
[[nodiscard]] Error result_error(const PGresult* result, const MessageSource& source = {});
// A NOTICE or WARNING.
[[nodiscard]] ServerMessage server_message(const PGresult* notice, const MessageSource& source);
// Like result_error(), from the parts that libpqxx provides.
[[nodiscard]] Error server_error(std::string sqlstate, std::string_view primary_message);
// The connection broke while in use.
[[nodiscard]] Error connection_lost(const std::string& place);
// In the error of a connection for which sslmode asks for TLS, and the server has none.
inline constexpr std::string_view kNoTls = "the server does not support TLS, but sslmode requires it";
// A connection attempt failed; `report` is libpq's text at verbosity VERBOSE. `password`: the one that was used, never shown.
[[nodiscard]] Error connect_error(std::string_view report, const ConnectionString& target, std::string_view password = {});
// The SQLSTATE in such a text, or empty.
[[nodiscard]] std::string sqlstate_of(std::string_view report);

}  // namespace athanor::postgres
