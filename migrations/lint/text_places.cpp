#include "migrations/lint/text_places.hpp"

#include <algorithm>

namespace athanor {

void TextPlaces::advance(Mark& mark, std::size_t offset) const {
  for (; mark.offset < std::min(offset, text_.size()); ++mark.offset) {
    const char c = text_[mark.offset];
    if (c == '\n') {
      ++mark.place.line;
      mark.place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {  // the first byte of a character
      ++mark.place.column;
    }
  }
}

void TextPlaces::begin_statement(std::size_t offset) {
  if (offset < statement_.offset) {
    statement_ = {};
  }
  advance(statement_, offset);
  last_ = statement_;
}

TextPlace TextPlaces::at(std::size_t offset) {
  if (offset < last_.offset) {
    last_ = offset < statement_.offset ? Mark{} : statement_;
  }
  advance(last_, offset);
  return last_.place;
}

}  // namespace athanor
