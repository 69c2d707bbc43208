// Creates files atomically, without ever replacing an existing one.
//
// Threads: safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// Writes a temporary file beside `path` and links it there once it is complete. Creates missing folders. Error: Io if the file
// exists.
[[nodiscard]] Result<void> write_new_file(const std::string& path, std::string_view text);

}  // namespace athanor::cli
