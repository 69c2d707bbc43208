// Parses a database URL once, and never prints it.
//
// libpq reads URLs and keyword strings; SQLAlchemy puts postgresql+driver:// in front of the same. Settings of the run are
// added as startup options, which the server treats as the session's defaults: RESET ALL returns to them.
//
// libpq splits a URL at the first '@', ':' and '/'. If the author did not encode one of them in a password, part of the
// password becomes the host, the port or the database name, and messages would show it. Such a URL is refused.
//
// Threads: plain value. Only `keywords` contains the password.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/session/session_settings.hpp"
#include "migrations/text/allowed_authentication.hpp"

namespace athanor::postgres {

inline constexpr int kFirstWithTransactionTimeout = 170000;

struct ConnectionString {
  std::vector<std::pair<std::string, std::string>> keywords;  // libpq keyword, value
  std::string user_options;                                   // `options` as the user wrote them
  std::string place;                                          // "host:port/database", or "host[hostaddr]:port/database"; safe to print
  AllowedAuthentication allowed_authentication;               // from require_auth, if libpq does not support it
  std::string require_auth;                                   // the list that allowed_authentication was read from

  // The value of a keyword; empty when it is missing.
  [[nodiscard]] std::string value(const std::string& keyword) const;
  // From the keywords, else PGSSLMODE, else libpq's default.
  [[nodiscard]] std::string effective_ssl_mode() const;
  // Whether libpq has a password to send, or may find one in a password file.
  [[nodiscard]] bool may_send_password() const;
};

// Errors name parameters and never repeat any other part of the URL. Refuses, by name, values that libpq would refuse, misread
// or ignore.
[[nodiscard]] Result<ConnectionString> parse_connection_string(const std::string& url);

// The libpq keywords and values of a URL, including the user's `options`, the password, and require_auth even if libpq does not
// support it: for programs that connect themselves.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> connection_keywords(const std::string& url);

// Whether PGOPTIONS is set and not empty.
[[nodiscard]] bool has_environment_options();
// Error: Configuration unless PGOPTIONS contains only settings that a migration session allows.
[[nodiscard]] Result<void> check_environment_options();

// The time limit for connecting: connect_timeout of the URL, or `configured` when the URL has none or 0.
[[nodiscard]] milliseconds connect_timeout(const ConnectionString& target, milliseconds configured);

// The `options` value of a migration session: the baseline (docs/adr/0004), then PGOPTIONS, `user_options` of the URL, and the
// configured role and search_path. `server_version` (150018) decides which settings are included: the server would refuse the
// connection for an unknown one.
[[nodiscard]] std::string session_options(const ExecutionSettings& settings, const std::string& user_options,
                                          int server_version);

}  // namespace athanor::postgres
