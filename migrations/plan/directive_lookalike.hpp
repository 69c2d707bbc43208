// Finds comments that a reader could mistake for a directive: ours misspelt, or another tool's.
//
// Such a line is only a comment, so the SQL below it would run in the wrong section: an ignored `-- migrate:down` would make
// the downgrade part of the upgrade. docs/spec/revision-file.md, "Comments that look like directives", has the rules with
// examples.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "migrations/base/error.hpp"

namespace athanor {

// The position of a comment. The less likely a marker is in that position, the fewer forms are searched for.
enum class CommentPlace : std::uint8_t {
  BetweenStatements,
  InStatement,  // after its first word, outside parentheses and BEGIN ATOMIC bodies
  Header,       // a line of the file's header
};

// Returns MalformedRevision with the correct form as its hint, without context. Empty for prose, a correct directive or a note.
// `comment` is a token of the lexer: with its dashes, or from "/*" to "*/".
[[nodiscard]] std::optional<Error> directive_lookalike(std::string_view comment, CommentPlace place);

// "-- athanor:note …" or "/* athanor:note … */": the author marks it as prose.
[[nodiscard]] bool is_note(std::string_view comment);

}  // namespace athanor
