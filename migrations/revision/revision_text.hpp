// Helpers shared by the sources: convert a file's bytes to text, and text to a header.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// As promised by RevisionSource::read: checks UTF-8, removes a byte order mark, replaces CRLF by LF.
[[nodiscard]] Result<std::string> normalise_revision_text(std::string text, const std::string& path);

// Calls parse_native_header() or parse_alembic_header().
[[nodiscard]] Result<std::optional<Revision>> parse_revision_header(RevisionFormat format, std::string_view text, bool whole,
                                                                    const std::string& path);

// The error for a file of `size` bytes, more than `limit`.
[[nodiscard]] Error file_too_large(const std::string& path, std::size_t size, std::size_t limit);

}  // namespace athanor
