// Which texts may be a revision id or a branch label.
//
// Alembic refuses `@ - + :` (they are operators of targets); beyond that an id may not hold white space, commas or control
// characters, nor be a word that targets give a meaning to. The version table that Alembic makes holds 32 characters, and
// projects with longer ids widen it: files may hold ids of up to 255, new ones are kept within 32.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

constexpr std::size_t kDefaultIdLength = 32;       // of the column that Alembic makes
constexpr std::size_t kMaxRevisionIdLength = 255;  // of the column made where an id needs more

// For ids in native files: every rule. The error has no context.
[[nodiscard]] Result<void> check_revision_id(std::string_view id);
// For the id of a new file: it must fit into the version table as it is, too.
[[nodiscard]] Result<void> check_new_revision_id(std::string_view id);

// For labels and dependencies: every rule but the length, since they do not enter the version table.
[[nodiscard]] Result<void> check_revision_label(std::string_view label);

// For ids in Alembic's files: what Alembic itself refuses when it loads the file.
[[nodiscard]] Result<void> check_alembic_id(std::string_view id);

}  // namespace athanor
