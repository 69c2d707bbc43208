// Files that appear whole or not at all, and never in the place of another.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// Writes beside `path` and links it there when it is complete. Makes missing folders. Io when there is a file already.
[[nodiscard]] Result<void> write_new_file(const std::string& path, std::string_view text);

}  // namespace athanor::cli
