// Programs of the machine by path or name, as a shell would find them.
//
// Threads: safe from any. Nothing is started.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// Whether `path` is a regular file that this process may execute; links are followed.
[[nodiscard]] bool is_program(const std::string& path);

// The path of the program `name` in the first folder of `path` that has it, where `path` is written as in PATH. Empty when none
// does. Folders that are not absolute are passed over: what they hold depends on the working folder.
[[nodiscard]] std::string find_program(std::string_view name, std::string_view path);

}  // namespace athanor
