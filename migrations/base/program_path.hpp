// Finds executable programs by path or by name on a PATH.
//
// Threads: safe from any. Starts nothing.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// Whether `path` is a regular file that this process may execute. Follows symbolic links.
[[nodiscard]] bool is_program(const std::string& path);

// Returns the path of `name` in the first folder of `path` (written like PATH) that contains it; empty when none does. Relative
// folders are skipped: what they contain depends on the current folder.
[[nodiscard]] std::string find_program(std::string_view name, std::string_view path);

}  // namespace athanor
