// The header of a native revision: the `--` comment block that opens the file (docs/spec/revision-file.md).
//
// Threads: pure functions; values own their text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// A header that has not ended after this many bytes is an error, so that a file of comments cannot make a scan expensive.
constexpr std::size_t kMaxNativeHeaderBytes = 64U << 10U;

// Parses the header at the start of `text`. `whole` says that `text` is the file to its end; when it is not and the header
// goes on past `text`, the answer is empty: read more and ask again. Errors have "path:line" as their context.
[[nodiscard]] Result<std::optional<Revision>> parse_native_header(std::string_view text, bool whole, const std::string& path);

}  // namespace athanor
