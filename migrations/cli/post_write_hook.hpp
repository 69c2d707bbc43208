// post_write_hooks: programs that look at a revision file right after it was written (formatters, linters, `git add`).
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/config/configuration.hpp"

namespace athanor::cli {

// The words to run for `file`. REVISION_SCRIPT_FILENAME in the options stands for the file; without it, the file comes first.
[[nodiscard]] Result<std::vector<std::string>> hook_command(const PostWriteHook& hook, const std::string& file);

// Runs every hook in order. The first that fails is an Io error that names it; the file stays.
[[nodiscard]] Result<void> run_hooks(const std::vector<PostWriteHook>& hooks, const std::string& file);

}  // namespace athanor::cli
