// A child process that shares the terminal: editors and hooks. Never through a shell.
//
// Threads: blocks the calling thread until the child ends. Ownership: nothing outlives the call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::cli {

struct ForegroundProcess {
  std::vector<std::string> arguments;  // [0] is a path, or a name to be found on PATH
  std::string folder;                  // empty: the current one
  bool out_to_err = false;             // what it prints must not mix with our results
};

// The exit code, 128 + N when signal N ended it. Io when it cannot be started.
[[nodiscard]] Result<int> run_foreground(const ForegroundProcess& process);

// Splits as a POSIX shell would (quotes, backslashes), and does nothing else a shell does. Configuration on an open quote.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view text);

}  // namespace athanor::cli
