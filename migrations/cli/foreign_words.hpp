// Verbs and flags of other tools, and their equivalents here, for hints.
//
// Threads: pure functions of constant data.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace athanor::cli {

// "did you mean `athanor upgrade head`?" for a verb of another tool; empty for any other word. Understands prefixes such as
// "db:migrate" and "migrate:latest".
[[nodiscard]] std::optional<std::string> hint_for_verb(std::string_view word);
// The same for a flag, as typed: "--dry-run". `verb` may be empty.
[[nodiscard]] std::optional<std::string> hint_for_flag(std::string_view flag, std::string_view verb);

}  // namespace athanor::cli
