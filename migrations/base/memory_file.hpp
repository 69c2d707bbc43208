// A file without a name, for passing a secret to another program.
//
// The bytes are in memory (memfd_create), readable only by the owner, and cannot be changed. Nothing of them remains when the
// last process that has the file open ends, however it ends. A program that inherits the descriptor opens the file as
// /dev/fd/N.
//
// Threads: any; plain functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor {

// `name` only helps to recognise the file in /proc. Error: Io.
[[nodiscard]] Result<UniqueFd> memory_file(const char* name, std::string_view bytes);

// The file's path in a program that inherits it.
[[nodiscard]] std::string inherited_path(const UniqueFd& file);

}  // namespace athanor
