// The command line as a function: arguments in, exit code out. app.cpp calls it with the real environment, tests with their
// own.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <span>
#include <string_view>

#include "migrations/cli/command_context.hpp"

namespace athanor::cli {

// Runs one command with the arguments after the program's name, and returns the exit code.
[[nodiscard]] int run_program(std::span<const std::string_view> words, const ProcessEnvironment& outside, const TextSink& out,
                              const TextSink& err);

}  // namespace athanor::cli
