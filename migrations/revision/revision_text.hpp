// What the sources share: one file's bytes turned into text, and text into a header.
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

// As RevisionSource::read promises: UTF-8 proven, byte order mark removed, CRLF turned into LF.
[[nodiscard]] Result<std::string> normalise_revision_text(std::string text, const std::string& path);

// parse_native_header or parse_alembic_header.
[[nodiscard]] Result<std::optional<Revision>> parse_revision_header(RevisionFormat format, std::string_view text, bool whole,
                                                                    const std::string& path);

[[nodiscard]] Error file_too_large(const std::string& path, std::size_t size, std::size_t limit);

}  // namespace athanor
