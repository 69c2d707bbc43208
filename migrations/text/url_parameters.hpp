// Handles parameters of a database URL that belong to other tools: translates them, or says what to write instead.
//
// A URL is often shared with an application, whose driver has parameters that libpq refuses. A parameter with an equivalent is
// translated (`ssl` of asyncpg and JDBC). For any other, the error names the setting that does the same here. Messages contain
// names only, never values.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/text/database_url.hpp"

namespace athanor {

// The `sslmode` equivalent to a value of `ssl`; empty when there is none.
[[nodiscard]] std::optional<std::string_view> ssl_mode_of(std::string_view ssl);
// The effective `sslmode` of these parameters, whether given as sslmode or ssl; the last one counts, as in libpq. Empty: none.
[[nodiscard]] std::string ssl_mode_in(const ConnectionParameters& parameters);

// What to do about a parameter that another tool knows and PostgreSQL does not; empty for an unknown parameter.
[[nodiscard]] std::optional<std::string_view> advice_for_parameter(std::string_view name);

// A URL after translating what has an equivalent and removing what libpq would refuse.
struct ReadableUrl {
  std::string text;
  std::vector<std::string> unknown;    // names that were removed, without duplicates
  std::vector<std::string> valueless;  // names known to libpq that have no value
  bool may_contain_password = false;   // an unknown name may be part of a password, so it must not be shown
  bool has_bad_ssl = false;            // the value of `ssl` has no equivalent
};
// `known` are libpq's keywords. Text that is not a URL is returned unchanged.
[[nodiscard]] ReadableUrl readable_url(const std::string& url, std::span<const std::string> known);

// The error for removed parameters of an otherwise correct URL.
[[nodiscard]] Error unknown_parameters(const ReadableUrl& url, std::span<const std::string> known);

}  // namespace athanor
