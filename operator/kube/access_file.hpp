// Reads the small files that hold an identity: kubeconfigs, tokens, certificates.
//
// Threads: safe from any thread; no shared state.
#pragma once

#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// The whole file, at most 1 MiB. `what` names it in errors ("the token file"). Errors: Io, FileTooLarge; they show the path and
// never the content.
[[nodiscard]] Result<std::string> read_access_file(const std::string& path, const std::string& what);
// `text` without leading and trailing spaces, tabs and line ends.
[[nodiscard]] std::string trimmed(std::string text);

}  // namespace athanor::controller
