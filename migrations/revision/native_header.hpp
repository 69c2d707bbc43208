// Reads the header of a native revision: the block of `--` comments at the start of the file (docs/spec/revision-file.md).
//
// Threads: pure functions; values own their text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// A longer header is an error, so that a file of comments cannot make a scan expensive.
constexpr std::size_t kMaxNativeHeaderBytes = 64U << 10U;

// Parses the header at the start of `text`. `whole` means that `text` is the complete file. If it is not and the header extends
// past `text`, the result is empty: read more and call again. Errors have "path:line" as their context.
[[nodiscard]] Result<std::optional<Revision>> parse_native_header(std::string_view text, bool whole, const std::string& path);

}  // namespace athanor
