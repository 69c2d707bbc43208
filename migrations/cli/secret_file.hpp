// A secret in a file, as Kubernetes mounts it: read when it is needed, never kept.
//
// Threads: safe from any thread.
#pragma once

#include <string>

#include "migrations/base/result.hpp"

namespace athanor::cli {

// Without the line ends at its end. Configuration when the file is empty, holds a NUL or has more than 64 KiB, Io when it
// cannot be read. Errors name the file and never what is in it.
[[nodiscard]] Result<std::string> read_secret_file(const std::string& path);

}  // namespace athanor::cli
