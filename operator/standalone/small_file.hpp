// Reads small files: manifests, secrets, states.
//
// Threads: safe from any thread.
#pragma once

#include <cstddef>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Returns the whole file. Errors: Io when it cannot be read or is not a regular file, FileTooLarge above `limit` bytes; the
// path is the error's context.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit);

}  // namespace athanor::controller
