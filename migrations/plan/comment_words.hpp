// Splits a comment into words as a reader sees them, whatever characters they are written with.
//
// Directives must be found in text that people type, paste and let editors correct: Unicode spaces and dashes, full-width and
// Cyrillic letters, zero-width characters, CamelCase, underscores. All of these become plain lower-case words with punctuation
// between them.
//
// Threads: pure functions; values own their text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace athanor {

struct CommentWord {
  std::string text;  // lower case; a letter that resembles no ASCII letter is '?'
  std::string gap;   // punctuation and single blanks before it
};

struct CommentLine {
  std::vector<CommentWord> words;
  std::string tail;  // what follows the last word
  // What follows word `index`: the next word's gap, or the tail.
  [[nodiscard]] std::string_view gap_after(std::size_t index) const {
    return index + 1 < words.size() ? std::string_view(words[index + 1].gap) : std::string_view(tail);
  }
};

// The lines of a comment that contain a word. Unicode line ends count too. Linear time.
[[nodiscard]] std::vector<CommentLine> comment_lines(std::string_view comment);

// Whether `text` begins with a zero-width character, a Unicode blank or a Unicode dash: PostgreSQL reads a name there, but a
// reader sees nothing or a comment's dashes.
[[nodiscard]] bool begins_blank(std::string_view text);

}  // namespace athanor
