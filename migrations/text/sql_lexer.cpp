#include "migrations/text/sql_lexer.hpp"

#include <algorithm>
#include <array>

namespace athanor {
namespace {

enum Class : std::uint8_t { kOther = 0, kStart = 1, kDigit = 2, kSpace = 4 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t code = 0; code < classes.size(); ++code) {
    const bool letter = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || code == '_' || code >= 0x80;
    const bool space = code == ' ' || code == '\t' || code == '\n' || code == '\r' || code == '\f' || code == '\v';
    classes[code] = letter ? kStart : (code >= '0' && code <= '9') ? kDigit : space ? kSpace : kOther;
  }
  return classes;
}
constexpr auto kClasses = make_classes();

bool is(char letter, unsigned classes) {
  return (kClasses[static_cast<unsigned char>(letter)] & classes) != 0;
}
bool continues_word(char letter) {
  return is(letter, kStart | kDigit) || letter == '$';
}

}  // namespace

bool is_sql_space(char letter) {
  return is(letter, kSpace);
}

bool same_word(std::string_view word, std::string_view keyword) {
  return word.size() == keyword.size() && std::equal(word.begin(), word.end(), keyword.begin(),
                                                     [](char left, char right) { return lower_ascii(left) == right; });
}

bool contains_word(std::string_view text, std::string_view word) {
  if (word.empty() || text.size() < word.size()) {
    return word.empty();
  }
  const std::size_t last = text.size() - word.size();
  for (std::size_t index = 0; index <= last; ++index) {
    if (lower_ascii(text[index]) == word.front() && same_word(text.substr(index, word.size()), word)) {
      return true;
    }
  }
  return false;
}

int count_lines(std::string_view text, std::size_t end) {
  const auto head = text.substr(0, end);
  return static_cast<int>(std::count(head.begin(), head.end(), '\n'));
}

Token SqlLexer::finish(TokenKind kind, std::size_t begin, std::size_t end) {
  position_ = kind == TokenKind::Unterminated ? text_.size() : end;
  return {kind, begin, end};
}

Token SqlLexer::next_code() {
  Token token = next();
  while (token.kind == TokenKind::LineComment || token.kind == TokenKind::BlockComment) {
    token = next();
  }
  return token;
}

Token SqlLexer::next() {
  while (position_ < text_.size() && is(text_[position_], kSpace)) {
    ++position_;
  }
  const std::size_t begin = position_;
  if (begin >= text_.size()) {
    return {TokenKind::End, text_.size(), text_.size()};
  }
  const char letter = text_[begin];
  if (is(letter, kStart)) {
    return word();
  }
  if (is(letter, kDigit)) {
    return number();
  }
  switch (letter) {
    case '\'':
      return quoted(begin, begin, TokenKind::String, false);
    case '"':
      return quoted(begin, begin, TokenKind::QuotedIdentifier, false);
    case '$':
      return dollar();
    case '-':
      if (at(begin + 1) == '-') {
        return finish(TokenKind::LineComment, begin, std::min(text_.find_first_of("\r\n", begin), text_.size()));
      }
      break;
    case '/':
      if (at(begin + 1) == '*') {
        return block_comment();
      }
      break;
    case '.':
      if (is(at(begin + 1), kDigit)) {
        return number();
      }
      break;
    case '\\':
      return finish(TokenKind::Backslash, begin, begin + 1);
    default:
      break;
  }
  return finish(TokenKind::Symbol, begin, begin + 1);
}

Token SqlLexer::word() {
  const std::size_t begin = position_;
  const char first = lower_ascii(text_[begin]);
  const char second = at(begin + 1);
  if (second == '\'' && (first == 'e' || first == 'b' || first == 'x' || first == 'n')) {
    return quoted(begin, begin + 1, TokenKind::String, first == 'e');
  }
  if (first == 'u' && second == '&' && (at(begin + 2) == '\'' || at(begin + 2) == '"')) {
    const auto kind = at(begin + 2) == '"' ? TokenKind::QuotedIdentifier : TokenKind::String;
    return quoted(begin, begin + 2, kind, false);
  }
  std::size_t end = begin + 1;
  while (end < text_.size() && continues_word(text_[end])) {
    ++end;
  }
  return finish(TokenKind::Word, begin, end);
}

// Accepts junk after digits, which the server refuses: only the end of the number matters, and that a dollar quote may follow.
Token SqlLexer::number() {
  const std::size_t begin = position_;
  std::size_t end = begin;
  while (end < text_.size()) {
    const char letter = text_[end];
    const bool point = letter == '.' && at(end + 1) != '.';
    const bool sign = (letter == '+' || letter == '-') && end > begin && lower_ascii(text_[end - 1]) == 'e' &&
                      is(at(end + 1), kDigit) && lower_ascii(at(begin + 1)) != 'x';
    if (!is(letter, kStart | kDigit) && !point && !sign) {
      break;
    }
    ++end;
  }
  return finish(TokenKind::Number, begin, end);
}

// The opening quote of a string's next part, or npos. PostgreSQL joins 'a' and 'b' if only white space with a newline (and line
// comments) is between them.
std::size_t SqlLexer::continuation(std::size_t after) const {
  bool newline = false;
  std::size_t index = after;
  while (index < text_.size()) {
    const char letter = text_[index];
    if (is(letter, kSpace)) {
      newline = newline || letter == '\n' || letter == '\r';
      ++index;
    } else if (letter == '-' && at(index + 1) == '-') {
      index = std::min(text_.find_first_of("\r\n", index), text_.size());
    } else {
      break;
    }
  }
  return newline && at(index) == '\'' ? index : std::string_view::npos;
}

Token SqlLexer::quoted(std::size_t begin, std::size_t open, TokenKind kind, bool escapes) {
  const char quote = text_[open];
  const char* const stops = escapes ? "'\\" : quote == '"' ? "\"" : "'";
  std::size_t index = open + 1;
  while (true) {
    index = text_.find_first_of(stops, index);
    if (index == std::string_view::npos) {
      return finish(TokenKind::Unterminated, begin, text_.size());
    }
    if (text_[index] == '\\' || at(index + 1) == quote) {
      index += 2;
      continue;
    }
    if (escapes) {  // only then the next part matters: it is read with escapes, too
      if (const auto more = continuation(index + 1); more != std::string_view::npos) {
        index = more + 1;
        continue;
      }
    }
    return finish(kind, begin, index + 1);
  }
}

Token SqlLexer::dollar() {
  const std::size_t begin = position_;
  std::size_t end = begin + 1;
  if (is(at(end), kDigit)) {
    while (is(at(end), kDigit)) {
      ++end;
    }
    return finish(TokenKind::Parameter, begin, end);
  }
  if (is(at(end), kStart)) {
    while (end < text_.size() && is(text_[end], kStart | kDigit)) {
      ++end;
    }
  }
  if (at(end) != '$') {
    return finish(TokenKind::Symbol, begin, begin + 1);
  }
  const auto tag = text_.substr(begin, end + 1 - begin);
  const auto close = text_.find(tag, end + 1);
  if (close == std::string_view::npos) {
    return finish(TokenKind::Unterminated, begin, text_.size());
  }
  return finish(TokenKind::DollarString, begin, close + tag.size());
}

Token SqlLexer::block_comment() {
  const std::size_t begin = position_;
  std::size_t index = begin + 2;
  for (int depth = 1; depth > 0;) {
    index = text_.find_first_of("*/", index);
    if (index == std::string_view::npos) {
      return finish(TokenKind::Unterminated, begin, text_.size());
    }
    const char following = at(index + 1);
    if (text_[index] == '*' && following == '/') {
      --depth;
      index += 2;
    } else if (text_[index] == '/' && following == '*') {
      ++depth;
      index += 2;
    } else {
      ++index;
    }
  }
  return finish(TokenKind::BlockComment, begin, index);
}

}  // namespace athanor
