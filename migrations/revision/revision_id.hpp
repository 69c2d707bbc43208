// Which texts may be a revision id or a branch label.
//
// Alembic refuses `@ - + :` (they are operators of targets) and its version table holds 32 characters; beyond that an id may
// not hold white space, commas or control characters, nor be a word that targets give a meaning to.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

constexpr std::size_t kMaxRevisionIdLength = 32;

// For ids and labels written by Athanor and in native files: every rule. The error has no context.
[[nodiscard]] Result<void> check_revision_id(std::string_view id);

// For labels and dependencies: every rule but the length, since they do not enter the version table.
[[nodiscard]] Result<void> check_revision_label(std::string_view label);

// For ids in Alembic's files: what Alembic itself refuses when it loads the file.
[[nodiscard]] Result<void> check_alembic_id(std::string_view id);

}  // namespace athanor
