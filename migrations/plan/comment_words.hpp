// The words of a comment as a reader sees them, whatever characters they are written with.
//
// Directives are looked for in what people type, paste and let editors correct: Unicode spaces and dashes, full-width and
// Cyrillic letters, characters without width, CamelCase, underscores. All of these come out as plain lower-case words and the
// punctuation between them.
//
// Threads: pure functions; values own their text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace athanor {

struct CommentWord {
  std::string text;  // lower case; a letter that has no ASCII double is '?'
  std::string gap;   // what stands before it: punctuation and single blanks
};

struct CommentLine {
  std::vector<CommentWord> words;
  std::string tail;  // what stands behind the last word
  // The gap behind word `index`: the next word's, or the tail.
  [[nodiscard]] std::string_view gap_after(std::size_t index) const {
    return index + 1 < words.size() ? std::string_view(words[index + 1].gap) : std::string_view(tail);
  }
};

// The lines of a comment, without those that hold no word. Line ends are also the ones that only Unicode knows. Costs time
// linear in the text.
[[nodiscard]] std::vector<CommentLine> comment_lines(std::string_view comment);

// Whether `text` begins with a character without width, a Unicode blank or a Unicode dash: PostgreSQL reads a name there, a
// reader nothing or a comment's dashes.
[[nodiscard]] bool begins_blank(std::string_view text);

}  // namespace athanor
