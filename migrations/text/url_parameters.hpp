// Parameters of a database URL that are another tool's: what to write in their place.
//
// A URL is shared with an application, and its driver has parameters that PostgreSQL's own library refuses. One that means the
// same is translated (`ssl` of asyncpg and JDBC); every other one is named, with the setting that does its work here. Names
// alone are ever told, never values.
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

// The `sslmode` that a value of `ssl` means; nothing when it means none.
[[nodiscard]] std::optional<std::string_view> ssl_mode_of(std::string_view ssl);
// The `sslmode` of these parameters, whichever way it is written; the last one counts, as in libpq. Empty: none.
[[nodiscard]] std::string ssl_mode_in(const ConnectionParameters& parameters);

// What to do about a parameter that another tool knows and PostgreSQL does not; nothing when no tool is known for it.
[[nodiscard]] std::optional<std::string_view> advice_for_parameter(std::string_view name);

// A URL with what could be translated, and without what libpq would refuse.
struct ReadableUrl {
  std::string text;
  std::vector<std::string> unknown;    // names that were taken out, each once
  std::vector<std::string> valueless;  // names that libpq knows, without a value
  bool tells_password = false;         // an unknown name may be the rest of a password, and may not be told
  bool has_bad_ssl = false;            // the value of `ssl` means no mode
};
// `known` are libpq's keywords. What is no URL comes back as it is.
[[nodiscard]] ReadableUrl readable_url(const std::string& url, std::span<const std::string> known);

// The error for what was taken out of a URL that is in order otherwise.
[[nodiscard]] Error unknown_parameters(const ReadableUrl& url, std::span<const std::string> known);

}  // namespace athanor
