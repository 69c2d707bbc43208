// The database as the environment names it: DATABASE_URL, or ATHANOR_DATABASE_HOST with _PORT, _NAME, _USER and _PASSWORD, for
// whoever has the parts in separate secrets and nobody to encode them into a URL.
//
// Line ends after a value are dropped: files that secrets are made from often end with one.
//
// Threads: pure function of what `variable` answers.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// Empty when the environment names none. Errors never repeat a value.
[[nodiscard]] Result<std::string> database_of_environment(
    const std::function<std::optional<std::string>(const char* name)>& variable);

}  // namespace athanor::cli
