// Small files that say who we are: kubeconfigs, tokens, certificates. Read whole, under a limit.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// `what` names the file in an error: "the token file". The error shows the path and never the content.
[[nodiscard]] Result<std::string> read_access_file(const std::string& path, const std::string& what);
[[nodiscard]] std::string trimmed(std::string text);

}  // namespace athanor::controller
