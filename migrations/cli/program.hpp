// The command line as a function: words in, exit code out. app.cpp calls it with the real world, tests with theirs.
#pragma once

#include <span>
#include <string_view>

#include "migrations/cli/command_context.hpp"

namespace athanor::cli {

[[nodiscard]] int run_program(std::span<const std::string_view> words, const ProcessEnvironment& outside, const TextSink& out,
                              const TextSink& err);

}  // namespace athanor::cli
