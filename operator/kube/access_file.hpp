// Reads the small files that hold an identity: kubeconfigs, tokens, certificates.
//
// Threads: safe from any thread; no shared state.
#pragma once

#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Returns the whole file, at most 1 MiB. `what` names it in errors ("the token file"). Errors: Io, FileTooLarge; they contain
// the path, never the content.
[[nodiscard]] Result<std::string> read_access_file(const std::string& path, const std::string& what);
// Returns `text` without leading and trailing spaces, tabs and line ends.
[[nodiscard]] std::string trimmed(std::string text);

}  // namespace athanor::controller
