// Converts offsets in a text to lines and columns.
//
// Findings arrive roughly in text order: statement by statement, and rule by rule within a statement. Counting therefore
// continues from the last position, or from the start of the current statement. All conversions together cost about as much as
// reading the text once per rule with findings.
//
// Threads: one thread. Ownership: borrows the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace athanor {

struct TextPlace {
  int line = 1;
  int column = 1;  // in UTF-8 characters
};

class TextPlaces {
 public:
  TextPlaces() = default;
  explicit TextPlaces(std::string_view text) : text_(text) {}

  // Announces that most following positions are at `offset` or later.
  void begin_statement(std::size_t offset);
  // The position of the byte at `offset`, which must not be past the end of the text.
  [[nodiscard]] TextPlace at(std::size_t offset);

 private:
  struct Mark {
    std::size_t offset = 0;
    TextPlace place = {};
  };
  void advance(Mark& mark, std::size_t offset) const;

  std::string_view text_;
  Mark statement_;
  Mark last_;
};

}  // namespace athanor
