// A database URL, taken apart once and never printed.
//
// libpq reads URLs and keyword strings; SQLAlchemy writes postgresql+driver:// in front of the same thing. Settings of the run
// are added as start-up options, which the server treats as the session's defaults: RESET ALL returns to them.
//
// libpq splits a URL at the first '@', ':' and '/', wherever its author forgot to encode one in a password: then a part of the
// password is the host, the port or the database's name, and would be told as the place. Such a URL is refused.
//
// Threads: plain value. The password lives in `keywords` alone.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/session/session_settings.hpp"

namespace athanor::postgres {

inline constexpr int kFirstWithTransactionTimeout = 170000;

struct ConnectionString {
  std::vector<std::pair<std::string, std::string>> keywords;  // libpq keyword, value
  std::string user_options;                                   // `options` as the user wrote them
  std::string place;                                          // "host:port/database", safe to print

  [[nodiscard]] std::string value(const std::string& keyword) const;
};

// Errors name parameters and never repeat any other part of the URL. Values that libpq would refuse, misread or pass over are
// refused here, by name.
[[nodiscard]] Result<ConnectionString> parse_connection_string(const std::string& url);

// libpq keywords and values of a URL, the user's own `options` and the password among them: for programs that connect by
// themselves.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> connection_keywords(const std::string& url);

// Whether PGOPTIONS says anything.
[[nodiscard]] bool has_environment_options();
// Configuration unless PGOPTIONS holds settings that a migration session can have.
[[nodiscard]] Result<void> check_environment_options();

// How long connecting may take: connect_timeout of the URL, or `configured` where it has none or 0.
[[nodiscard]] milliseconds connect_timeout(const ConnectionString& target, milliseconds configured);

// The `options` value for a migration session: the baseline (docs/adr/0004), then PGOPTIONS, `user_options` of the URL, and
// role and search_path of the configuration. `server_version` (150018) says which settings the server knows: an unknown one
// would end the connection.
[[nodiscard]] std::string session_options(const ExecutionSettings& settings, const std::string& user_options,
                                          int server_version);

}  // namespace athanor::postgres
