// post_write_hooks: programs that run on a revision file right after it was written (formatters, linters, `git add`).
//
// Threads: one thread.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/config/configuration.hpp"

namespace athanor::cli {

// The command line for `file`. REVISION_SCRIPT_FILENAME in the options is replaced by the file; without it, the file is the
// first argument.
[[nodiscard]] Result<std::vector<std::string>> hook_command(const PostWriteHook& hook, const std::string& file);

// Runs every hook in order. The first failure is an Io error that names the hook; the file stays.
[[nodiscard]] Result<void> run_hooks(const std::vector<PostWriteHook>& hooks, const std::string& file);

}  // namespace athanor::cli
