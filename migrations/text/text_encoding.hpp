// What counts as text: UTF-8 without NUL bytes. Every file that enters the house is checked here before anything looks inside.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

// Offset of the first byte that is NUL or not UTF-8 (overlong forms and surrogates included). When `whole` is false, a
// character that is merely cut off at the end is no fault.
[[nodiscard]] std::optional<std::size_t> find_non_text(std::string_view bytes, bool whole = true);

// Whether UTF-8 text holds what no single line of text does: control characters but the tab, and the separators of lines and
// paragraphs.
[[nodiscard]] bool holds_control_character(std::string_view utf8);

// The error for such a byte, with "name:line" as its context.
[[nodiscard]] Result<void> check_text(std::string_view bytes, std::string_view name, bool whole = true);

// 1-based line of an offset.
[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t offset);
// "name:line".
[[nodiscard]] std::string place(std::string_view name, std::size_t line);

// Characters, not bytes.
[[nodiscard]] std::size_t count_characters(std::string_view utf8);

// The character at `at`, which moves behind it; a malformed byte stands for itself.
[[nodiscard]] char32_t take_character(std::string_view utf8, std::size_t& at);
void append_character(char32_t character, std::string& utf8);

// Without spaces, tabs and carriage returns at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// Without a UTF-8 byte order mark at the start.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view text);

}  // namespace athanor
