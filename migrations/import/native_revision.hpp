// The text of a native revision file made from a rendered Alembic revision.
//
// What was rendered stays byte for byte inside strings, function bodies and comments; between them tabs become spaces, and
// trailing blanks and the indentation that Python needed go. Every call gets the semicolon its last statement lacks, before a
// comment that ends it, never inside. Edges of autocommit blocks become `-- athanor:step` lines; steps that would be empty are
// left out.
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

// `irreversible`: stands in the place of the downgrade when it is not empty. NotRenderable when a part holds what no revision
// file can: a carriage return inside a string, or a comment that reads as a directive.
[[nodiscard]] Result<std::string> native_revision_text(const RenderedRevision& revision, std::string_view irreversible);

// The header the file must have.
[[nodiscard]] Revision header_of(const RenderedRevision& revision);

// Cuts names of more than 63 bytes as PostgreSQL does, at the end of a character, wherever the lexer sees a name. Returns the
// names that were cut, as they were written, each once.
[[nodiscard]] std::vector<std::string> cut_long_names(RenderedDirection& direction);

// Whether the texts differ in nothing but strings and numbers: what a revision made up in Python.
[[nodiscard]] bool same_but_for_values(std::string_view left, std::string_view right);

// One call's SQL, laid out and closed with a semicolon. `indent` blanks are taken from the start of every line but the first.
[[nodiscard]] std::string closed_statement(std::string_view sql, std::size_t indent = 0);

}  // namespace athanor
