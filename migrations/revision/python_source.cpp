#include "migrations/revision/python_source.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/text/letter_case.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

constexpr int kMaxLiteralDepth = 16;
constexpr std::size_t kUsualDocstring = 240;  // reserved in advance

bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\f';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_part(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}
// Characters that can affect where a statement ends; all others are skipped in one run.
constexpr auto kStatementMarks = [] {
  std::array<bool, 256> marks{};
  for (const char c : std::string_view("\"'()[]{}#\\;\r\n")) {
    marks[static_cast<unsigned char>(c)] = true;
  }
  return marks;
}();

// The same for annotations, which also end at `=`.
constexpr auto kAnnotationMarks = [] {
  auto marks = kStatementMarks;
  marks[static_cast<unsigned char>('=')] = true;
  return marks;
}();

std::size_t line_end(std::string_view text, std::size_t at) {
  while (at < text.size() && !is_line_end(text[at])) {
    ++at;
  }
  return at;
}

}  // namespace

void PythonSource::fail_at(std::size_t offset, std::string message, std::string hint) {
  if (!fault_) {
    fault_ = Fault{std::move(message), std::move(hint), offset};
  }
}

void PythonSource::not_a_literal(std::string_view name) {
  fail_at(at_, "the value of `" + std::string(name) + "` is not a literal",
          "write a string, None, or a tuple, list or set of strings: the header is read without running Python");
}

void PythonSource::skip_space(bool in_brackets) {
  while (!at_end()) {
    const char c = peek();
    if (is_blank(c) || (in_brackets && is_line_end(c))) {
      ++at_;
    } else if (c == '\\' && is_line_end(peek(1))) {
      at_ += peek(1) == '\r' && peek(2) == '\n' ? 3U : 2U;
    } else if (in_brackets && c == '#') {
      while (!at_end() && !is_line_end(peek())) {
        ++at_;
      }
    } else {
      return;
    }
  }
}

std::size_t PythonSource::skip_indent() {
  const std::size_t start = at_;
  while (is_blank(peek())) {
    ++at_;
  }
  return at_ - start;
}

bool PythonSource::skip_blank_line() {
  std::size_t end = at_;
  if (peek() == '#') {
    end = line_end(text_, at_);
  }
  if (end < text_.size() && !is_line_end(text_[end])) {
    return false;
  }
  at_ = std::min(end + 1, text_.size());
  return true;
}

bool PythonSource::skip_statement() {
  std::size_t depth = 0;
  while (true) {
    while (at_ < text_.size() && !kStatementMarks[static_cast<unsigned char>(text_[at_])]) {
      ++at_;
    }
    if (at_end()) {
      return false;
    }
    switch (peek()) {
      case '"':
      case '\'':
        if (!skip_string()) {
          return false;
        }
        continue;
      case '(':
      case '[':
      case '{':
        ++depth;
        break;
      case ')':
      case ']':
      case '}':
        depth -= depth > 0 ? 1 : 0;
        break;
      case '#':
        at_ = line_end(text_, at_);
        continue;
      case '\\':
        at_ += peek(1) == '\r' && peek(2) == '\n' ? 2U : 1U;
        break;
      case ';':
        if (depth == 0) {
          ++at_;
          return true;
        }
        break;
      case '\r':
      case '\n':
        if (depth == 0) {
          ++at_;
          return false;
        }
        break;
      default:
        break;
    }
    ++at_;
  }
}

std::string_view PythonSource::take_name() {
  const std::size_t start = at_;
  if (!is_name_start(peek())) {
    return {};
  }
  while (!at_end() && is_name_part(peek())) {
    ++at_;
  }
  return text_.substr(start, at_ - start);
}

bool PythonSource::at_statement_end() const {
  return at_end() || is_line_end(peek()) || peek() == ';' || peek() == '#';
}

void PythonSource::skip_annotation() {
  std::size_t depth = 0;
  while (true) {
    while (at_ < text_.size() && !kAnnotationMarks[static_cast<unsigned char>(text_[at_])]) {
      ++at_;
    }
    const char c = peek();
    if (at_end() || (depth == 0 && (c == '=' || at_statement_end()))) {
      return;
    }
    if (c == '"' || c == '\'') {
      if (!skip_string()) {
        return;
      }
      continue;
    }
    if (c == '#') {
      at_ = line_end(text_, at_);
      continue;
    }
    if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      depth -= depth > 0 ? 1 : 0;
    } else if (c == '\\') {
      at_ += peek(1) == '\r' && peek(2) == '\n' ? 2U : 1U;
    }
    ++at_;
  }
}

PythonSource::Opening PythonSource::opening() const {
  Opening found;
  while (found.prefix < 2 && peek(found.prefix) != '"' && peek(found.prefix) != '\'') {
    switch (lower_ascii(peek(found.prefix))) {
      case 'r':
        found.raw = true;
        break;
      case 'b':
        found.bytes = true;
        break;
      case 'f':
      case 't':
        found.formatted = true;
        break;
      case 'u':
        break;
      default:
        found.quote = '\0';
        return found;
    }
    ++found.prefix;
  }
  const char quote = peek(found.prefix);
  found.quote = quote == '"' || quote == '\'' ? quote : '\0';
  found.triple = quote == peek(found.prefix + 1) && quote == peek(found.prefix + 2);
  return found;
}

bool PythonSource::at_string() const {
  return !at_end() && opening().quote != '\0';
}

// Skips a string from its opening quote, after any prefix. A raw string ends where any other would.
bool PythonSource::skip_string() {
  const std::size_t start = at_;
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  at_ += triple ? 3 : 1;
  while (!at_end()) {
    const char c = peek();
    if (c == '\\') {
      at_ += 2;
      continue;
    }
    if (c == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
      at_ += triple ? 3 : 1;
      return true;
    }
    if (!triple && is_line_end(c)) {
      break;
    }
    ++at_;
  }
  at_ = std::min(at_, text_.size());
  fail_at(start, "the string is not closed");
  return false;
}

std::optional<std::string> PythonSource::take_strings(bool in_brackets) {
  std::string text;
  bool formatted = false;
  std::optional<bool> bytes;
  while (at_string()) {
    const Opening found = opening();
    formatted = formatted || found.formatted;
    if (bytes && *bytes != found.bytes) {
      fail_at(at_, "bytes and text cannot be concatenated");
      return std::nullopt;
    }
    bytes = found.bytes;
    if (!take_string(found, text)) {
      return std::nullopt;
    }
    skip_space(in_brackets);
  }
  return formatted ? std::nullopt : std::optional(std::move(text));
}

bool PythonSource::take_string(const Opening& opening, std::string& out) {
  const std::size_t start = at_;
  at_ += opening.prefix + (opening.triple ? 3U : 1U);
  if (opening.triple) {
    out.reserve(out.size() + kUsualDocstring);
  }
  while (!at_end()) {
    const char c = peek();
    if (c == opening.quote && (!opening.triple || (peek(1) == c && peek(2) == c))) {
      at_ += opening.triple ? 3U : 1U;
      return true;
    }
    if (c == '\\') {
      if (!take_escape(opening, out)) {
        return false;
      }
      continue;
    }
    if (is_line_end(c)) {
      if (!opening.triple) {
        break;
      }
      at_ += c == '\r' && peek(1) == '\n' ? 2U : 1U;
      out += '\n';
      continue;
    }
    const std::size_t run = at_;
    do {
      ++at_;
    } while (at_ < text_.size() && text_[at_] != opening.quote && text_[at_] != '\\' && !is_line_end(text_[at_]));
    out.append(text_, run, at_ - run);
  }
  fail_at(start, "the string is not closed");
  return false;
}

// Takes a backslash and what follows it.
bool PythonSource::take_escape(const Opening& opening, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\'\"";
  constexpr std::string_view kMeaning = "\a\b\f\n\r\t\v\\'\"";
  const char next = peek(1);
  const bool joins = is_line_end(next);
  const std::size_t length = next == '\r' && peek(2) == '\n' ? 3U : 2U;
  if (at_ + 1 >= text_.size()) {
    ++at_;
    return true;  // the string has no end: the caller reports the fault
  }
  if (opening.raw) {
    out += '\\';
    out += joins ? '\n' : next;
    at_ += length;
    return true;
  }
  if (joins) {
    at_ += length;
    return true;
  }
  if (const auto letter = kLetters.find(next); letter != std::string_view::npos) {
    out += kMeaning[letter];
    at_ += 2;
    return true;
  }
  if (next >= '0' && next <= '7') {
    std::uint32_t value = 0;
    ++at_;
    for (int digit = 0; digit < 3 && peek() >= '0' && peek() <= '7'; ++digit, ++at_) {
      value = value * 8 + static_cast<std::uint32_t>(peek() - '0');
    }
    append_character(value, out);
    return true;
  }
  if (next == 'x' || (!opening.bytes && (next == 'u' || next == 'U'))) {
    at_ += 2;
    return take_code_point(next == 'x' ? 2 : next == 'u' ? 4 : 8, out);
  }
  if (next == 'N' && !opening.bytes) {
    fail_at(at_, "character names (\\N{...}) are not supported", "write the character itself");
    return false;
  }
  out += '\\';  // not an escape sequence: Python keeps both characters
  ++at_;
  return true;
}

bool PythonSource::take_code_point(std::size_t digits, std::string& out) {
  std::uint32_t value = 0;
  for (std::size_t index = 0; index < digits; ++index, ++at_) {
    const char c = lower_ascii(peek());
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && (c < 'a' || c > 'f')) {
      fail_at(at_, "the escape needs " + std::to_string(digits) + " hexadecimal digits");
      return false;
    }
    value = value * 16 + static_cast<std::uint32_t>(decimal ? c - '0' : c - 'a' + 10);
  }
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    fail_at(at_, "the escape is not a valid character");
    return false;
  }
  append_character(value, out);
  return true;
}

bool PythonSource::add_item(std::string_view name, PythonLiteral element, std::vector<std::string>& items) {
  if (element.kind != PythonLiteral::Kind::Text) {
    fail_at(
        at_,
        "`" + std::string(name) + "` holds " + (element.kind == PythonLiteral::Kind::None ? "None" : "a list") + " in a list",
        "write strings only");
    return false;
  }
  items.push_back(std::move(element.items.front()));
  return true;
}

std::optional<PythonLiteral> PythonSource::take_literal(std::string_view name) {
  skip_space();
  auto first = take_element(name, 0);
  if (!first) {
    return std::nullopt;
  }
  skip_space();
  PythonLiteral list{PythonLiteral::Kind::List, {}};
  bool listed = false;
  while (peek() == ',') {  // a tuple without parentheses
    if (!listed && !add_item(name, std::move(*first), list.items)) {
      return std::nullopt;
    }
    listed = true;
    ++at_;
    skip_space();
    if (at_statement_end()) {
      break;
    }
    auto next = take_element(name, 0);
    if (!next || !add_item(name, std::move(*next), list.items)) {
      return std::nullopt;
    }
    skip_space();
  }
  if (!at_statement_end()) {
    not_a_literal(name);
    return std::nullopt;
  }
  return listed ? std::move(list) : std::move(first);
}

std::optional<PythonLiteral> PythonSource::take_element(std::string_view name, int depth) {
  if (peek() == '(' || peek() == '[' || peek() == '{') {
    return take_sequence(name, depth);
  }
  const std::size_t start = at_;
  if (at_string()) {
    auto text = take_strings(depth > 0);
    if (!text) {
      at_ = fault_ ? at_ : start;
      not_a_literal(name);
      return std::nullopt;
    }
    return PythonLiteral{PythonLiteral::Kind::Text, {std::move(*text)}};
  }
  if (take_name() == "None") {
    return PythonLiteral{};
  }
  at_ = start;
  not_a_literal(name);
  return std::nullopt;
}

std::optional<PythonLiteral> PythonSource::take_sequence(std::string_view name, int depth) {
  const char open = peek();
  const char close = open == '(' ? ')' : open == '[' ? ']' : '}';
  if (depth >= kMaxLiteralDepth) {
    fail_at(at_, "brackets are nested too deeply");
    return std::nullopt;
  }
  PythonLiteral list{PythonLiteral::Kind::List, {}};
  std::optional<PythonLiteral> last;
  bool comma = open != '(';  // parentheses without a comma are not a tuple
  ++at_;
  skip_space(true);
  while (peek() != close) {
    if (last) {
      not_a_literal(name);
      return std::nullopt;
    }
    last = take_element(name, depth + 1);
    if (!last) {
      return std::nullopt;
    }
    skip_space(true);
    if (peek() == ',') {
      comma = true;
      ++at_;
      skip_space(true);
      if (!add_item(name, std::move(*last), list.items)) {
        return std::nullopt;
      }
      last.reset();
    }
  }
  ++at_;
  if (last && !comma) {
    return last;
  }
  if (last && !add_item(name, std::move(*last), list.items)) {
    return std::nullopt;
  }
  return list;
}

}  // namespace athanor
