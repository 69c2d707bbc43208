// Checks revision ids and branch labels.
//
// Alembic refuses `@ - + :`, which are operators of targets. In addition, an id must not contain white space, commas or control
// characters, or be a word with a meaning in targets. Alembic's version table holds 32 characters, and projects with longer ids
// widen it: existing files may have ids of up to 255, new ones must fit into 32.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

constexpr std::size_t kDefaultIdLength = 32;       // length of Alembic's column
constexpr std::size_t kMaxRevisionIdLength = 255;  // length of the column when an id needs more

// For ids in native files: all rules. The error has no context.
[[nodiscard]] Result<void> check_revision_id(std::string_view id);
// For the id of a new file: it must also fit into Alembic's column.
[[nodiscard]] Result<void> check_new_revision_id(std::string_view id);

// For labels and dependencies: all rules except the length, because they are not in the version table.
[[nodiscard]] Result<void> check_revision_label(std::string_view label);

// For ids in Alembic's files: only what Alembic refuses when it loads the file.
[[nodiscard]] Result<void> check_alembic_id(std::string_view id);

}  // namespace athanor
