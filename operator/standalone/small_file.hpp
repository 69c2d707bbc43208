// A small file, whole, under a limit: manifests, secrets, states.
//
// Threads: safe from any thread.
#pragma once

#include <cstddef>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Io when it cannot be read, FileTooLarge when it has more than `limit` bytes; the path is the error's context.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit);

}  // namespace athanor::controller
