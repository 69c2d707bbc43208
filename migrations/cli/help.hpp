// Help, completion scripts and the manual page, generated from the table of commands.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_table.hpp"

namespace athanor::cli {

[[nodiscard]] std::string_view version_number();  // "0.1.0"
[[nodiscard]] std::string_view version_line();    // "athanor 0.1.0"

[[nodiscard]] std::string general_help();
[[nodiscard]] std::string command_help(const CommandSpec& command);

// help_completion.cpp
[[nodiscard]] Result<std::string> completion_script(std::string_view shell);

// help_manual.cpp: roff for man(1).
[[nodiscard]] std::string manual_page();

}  // namespace athanor::cli
