// Comments that a reader could take for a directive, ours misspelt or another tool's.
//
// As a comment such a line does nothing, and the SQL below it runs in the wrong section: a `-- migrate:down` that is passed
// over makes the downgrade part of the upgrade. What counts, with examples both ways: docs/spec/revision-file.md, "Comments
// that look like directives".
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "migrations/base/error.hpp"

namespace athanor {

// Where a comment stands. The further away from the SQL's seams, the less of it can be a marker.
enum class CommentPlace : std::uint8_t {
  BetweenStatements,
  InStatement,  // behind its first word, outside of parentheses and BEGIN ATOMIC bodies
  Header,       // a line of the file's header
};

// MalformedRevision with the right form as its hint, without a context; nothing when the comment is prose, a directive that is
// written as it should be, or a note. `comment` as the lexer cuts it: with its dashes, or from "/*" to "*/".
[[nodiscard]] std::optional<Error> directive_lookalike(std::string_view comment, CommentPlace place);

// "-- athanor:note …" or "/* athanor:note … */": its author says that it is prose.
[[nodiscard]] bool is_note(std::string_view comment);

}  // namespace athanor
