// Lines and columns of places in a text.
//
// Findings come roughly in the order of the text: statement by statement, and rule by rule within one. Counting goes on from
// the place that was asked for last, or from the statement that was begun last, so that all of them together cost about as much
// as reading the text once for each rule that finds something.
//
// Threads: one thread. Ownership: borrows the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace athanor {

struct TextPlace {
  int line = 1;
  int column = 1;  // in characters of UTF-8
};

class TextPlaces {
 public:
  TextPlaces() = default;
  explicit TextPlaces(std::string_view text) : text_(text) {}

  // What is asked for next lies at `offset` or behind it, most of the time.
  void begin_statement(std::size_t offset);
  // The place of the byte at `offset`, which lies in the text or at its end.
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
