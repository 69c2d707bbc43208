// Checks that input is text: UTF-8 without NUL bytes. Every file is checked here before it is parsed.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

// The offset of the first byte that is NUL or not UTF-8 (overlong forms and surrogates included). Unless `whole`, a character
// cut off at the end is accepted.
[[nodiscard]] std::optional<std::size_t> find_non_text(std::string_view bytes, bool whole = true);

// Whether UTF-8 text contains a character that a single line must not have: control characters except tab, line and paragraph
// separators.
[[nodiscard]] bool holds_control_character(std::string_view utf8);

// Returns an error for the first such byte, with "name:line" as its context.
[[nodiscard]] Result<void> check_text(std::string_view bytes, std::string_view name, bool whole = true);

// The 1-based line of an offset.
[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset);
// "name:line".
[[nodiscard]] std::string place(std::string_view name, std::size_t line);

// Counts characters, not bytes.
[[nodiscard]] std::size_t count_characters(std::string_view utf8);

// Returns the character at `at` and moves `at` past it. A malformed byte is returned as itself.
[[nodiscard]] char32_t take_character(std::string_view utf8, std::size_t& at);
// Appends a character as UTF-8.
void append_character(char32_t character, std::string& utf8);

// Removes spaces, tabs and carriage returns from both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// Removes a UTF-8 byte order mark from the start.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

}  // namespace athanor
