#include "migrations/text/shell_words.hpp"

#include <utility>

namespace athanor {

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool more = i + 1 < text.size();
    if (quote == '\'' || (quote == '"' && c != '\\')) {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\\' && more) {
      const char next = text[++i];
      if (quote == '"' && next != '"' && next != '\\' && next != '$' && next != '`') {
        word += c;
      }
      word += next;
      in_word = true;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) {
        words.push_back(std::exchange(word, {}));
        in_word = false;
      }
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') {
    return fail(ErrorCode::Configuration, "unterminated quote in: " + std::string(text));
  }
  if (in_word) {
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace athanor
