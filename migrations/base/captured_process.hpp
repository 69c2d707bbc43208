// A child process that gets a text on standard input and whose standard output is collected. Standard error goes nowhere. The
// child inherits the environment; the shell is never involved.
//
// Threads: blocks the calling thread until the child ends. Ownership: nothing outlives the call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

struct CapturedOutput {
  int exit_code = 0;  // 128 + N when signal N ended it
  std::string out;
};

// `arguments[0]` is a path, or a name to be found on PATH. Io when it cannot be started.
[[nodiscard]] Result<CapturedOutput> capture_process(const std::vector<std::string>& arguments, const std::string& folder,
                                                     std::string_view input);

}  // namespace athanor
