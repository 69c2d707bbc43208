// UTF-8 at the level of bytes: the length of a character, and where a text may be cut.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace athanor {

// The length in bytes of the character at `at`; 0 when it is malformed (overlong forms and surrogates included). Sets `cut`
// when the text ends inside the character.
[[nodiscard]] std::size_t character_length(std::string_view bytes, std::size_t at, bool& cut);

// The longest prefix of `text` that has at most `bytes` bytes and ends at a character boundary.
[[nodiscard]] std::string_view cut_at_character(std::string_view text, std::size_t bytes);

// A copy with every malformed byte replaced by U+FFFD.
[[nodiscard]] std::string well_formed(std::string_view text);

}  // namespace athanor
