// UTF-8 where bytes are counted: how long a character is, and where a text may be cut.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace athanor {

// Length of the well-formed character at `at`; 0 when it is malformed (overlong forms and surrogates included), and `cut` when
// the text ends inside it.
[[nodiscard]] std::size_t character_length(std::string_view bytes, std::size_t at, bool& cut);

// The beginning of `text`: at most so many bytes, and no part of a character.
[[nodiscard]] std::string_view cut_at_character(std::string_view text, std::size_t bytes);

// The same with every malformed byte replaced by U+FFFD.
[[nodiscard]] std::string well_formed(std::string_view text);

}  // namespace athanor
