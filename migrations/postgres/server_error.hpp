// Errors of libpq and the server, in words that are safe to publish.
//
// Of a server's report only SQLSTATE and the primary message are kept: DETAIL shows row values, LINE and CONTEXT show SQL, and
// a URI error shows the password. Messages of class 22 quote the offending value; the quotation is removed.
#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>

#include "migrations/base/error.hpp"
#include "migrations/postgres/connection_string.hpp"

namespace athanor::postgres {

// The error of a failed result.
[[nodiscard]] Error result_error(const PGresult* result);
// The same from the parts that libpqxx gives.
[[nodiscard]] Error server_error(std::string sqlstate, std::string_view primary_message);
// The connection broke while it was in use.
[[nodiscard]] Error connection_lost(const std::string& place);
// A connection that could not be made; `report` is libpq's text at verbosity VERBOSE.
[[nodiscard]] Error connect_error(std::string_view report, const ConnectionString& target);
// The SQLSTATE inside such a text, or empty.
[[nodiscard]] std::string sqlstate_of(std::string_view report);

}  // namespace athanor::postgres
