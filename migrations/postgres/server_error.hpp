// Errors and messages of libpq and the server, in words that are safe to publish.
//
// Of a server's report are kept: SQLSTATE, the primary message, HINT, the position in the statement, and where a PL/pgSQL body
// was. DETAIL shows row values, LINE and CONTEXT show SQL, and a URI error shows the password: these are dropped. Values in the
// rest are masked (message_values.hpp), unless --show-values. What an author wrote for RAISE or ASSERT stays as it is.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "migrations/base/error.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

// Where a message of the server comes from.
struct MessageSource {
  bool show_values = false;
  std::string_view sql = {};  // the migration's statement; empty for questions of ours, whose names are no secret
};

// The error of a failed result.
[[nodiscard]] Error result_error(const PGresult* result, const MessageSource& source = {});
// A NOTICE or WARNING.
[[nodiscard]] ServerMessage server_message(const PGresult* notice, const MessageSource& source);
// The same from the parts that libpqxx gives.
[[nodiscard]] Error server_error(std::string sqlstate, std::string_view primary_message);
// The connection broke while it was in use.
[[nodiscard]] Error connection_lost(const std::string& place);
// A connection that could not be made; `report` is libpq's text at verbosity VERBOSE.
[[nodiscard]] Error connect_error(std::string_view report, const ConnectionString& target);
// The SQLSTATE inside such a text, or empty.
[[nodiscard]] std::string sqlstate_of(std::string_view report);

}  // namespace athanor::postgres
