// Renders the text of a native revision file from a rendered Alembic revision.
//
// Strings, function bodies and comments stay byte for byte. Between them tabs become spaces, and trailing blanks and the
// indentation of the Python source are removed. A call's last statement gets its missing semicolon, before a trailing comment
// and never inside it. Boundaries of autocommit blocks become `-- athanor:step` lines; empty steps are omitted.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/import/alembic_project.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// A non-empty `irreversible` replaces the downgrade. Error: NotRenderable when a part contains what a revision file cannot: a
// carriage return inside a string, or a comment that looks like a directive.
[[nodiscard]] Result<std::string> native_revision_text(const RenderedRevision& revision, std::string_view irreversible);

// The header that the file must have.
[[nodiscard]] Revision header_of(const RenderedRevision& revision);

// Truncates names of more than 63 bytes as PostgreSQL does, at a character boundary, wherever the lexer finds a name. Returns
// the truncated names as written, without duplicates.
[[nodiscard]] std::vector<std::string> cut_long_names(RenderedDirection& direction);

// Whether the texts differ only in strings and numbers, as values generated in Python do.
[[nodiscard]] bool same_but_for_values(std::string_view left, std::string_view right);

// The SQL of one call, laid out and ended with a semicolon. Removes `indent` blanks from every line except the first.
[[nodiscard]] std::string closed_statement(std::string_view sql, std::size_t indent = 0);

}  // namespace athanor
