// The database from the environment: DATABASE_URL, or ATHANOR_DATABASE_HOST with _PORT, _NAME, _USER and _PASSWORD, for users
// who have the parts in separate secrets and cannot encode them into a URL.
//
// Trailing line ends are removed: files from which secrets are created often end with one.
//
// Threads: a pure function of the variables.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// Returns a URL, or an empty text if the environment names no database. Errors never contain a value.
[[nodiscard]] Result<std::string> database_of_environment(
    const std::function<std::optional<std::string>(const char* name)>& variable);

}  // namespace athanor::cli
