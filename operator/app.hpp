// The composition root of athanor-operator: parses the command line, handles signals and starts one of the modes.
#pragma once

#include <string>
#include <vector>

namespace athanor::controller {

// Runs until SIGTERM or SIGINT; returns the exit code.
[[nodiscard]] int run_operator(const std::vector<std::string>& arguments);

}  // namespace athanor::controller
