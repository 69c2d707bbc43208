// What programs that connect by themselves are given: the URL taken apart, and the environment.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// libpq keywords and values of a URL, the password among them.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> connection_keywords(const std::string& url);
// "NAME=value", all of them.
[[nodiscard]] std::vector<std::string> whole_environment();

}  // namespace athanor::cli
