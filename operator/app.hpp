// The composition root of athanor-operator: the only file of the operator that names concrete adapters, reads the environment
// and handles signals.
#pragma once

#include <string>
#include <vector>

namespace athanor::controller {

// Runs until SIGTERM or SIGINT; returns the exit code.
[[nodiscard]] int run_operator(const std::vector<std::string>& arguments);

}  // namespace athanor::controller
