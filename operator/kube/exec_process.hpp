// A program run for its output: no shell, no input, a time limit, capped output, and nothing of it left behind.
//
// Threads: any; occupies the caller until the program has ended. Ownership: kills the program's process group at the time limit
// and at a stop.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::controller {

struct ExecProcess {
  std::string program;  // a path; nothing is looked up
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // beside our own, or in its place
  milliseconds timeout{30'000};
  std::size_t max_output = std::size_t{1} << 20U;
};

struct ExecOutcome {
  int exit_code = 0;  // 128 + N when a signal ended it
  std::string output;
  std::string complaint;  // the beginning of standard error, fit for an error message
};

[[nodiscard]] Result<ExecOutcome> run_exec_process(const ExecProcess& process, Clock& clock, const StopToken& stop);

// One line without control characters, cut to a length, with whatever looks like a token hidden.
[[nodiscard]] std::string fit_for_message(std::string_view text);

}  // namespace athanor::controller
