// Reads a secret from a file, as Kubernetes mounts it: when it is needed, without keeping it.
//
// Threads: safe from any thread.
#pragma once

#include <string>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// Returns the content without trailing line ends. Errors: Configuration if the file is empty, contains a NUL or exceeds 64 KiB,
// Io if it cannot be read. Errors name the file, never its content.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path);

}  // namespace athanor::cli
