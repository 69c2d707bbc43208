// A cursor over Python source that knows just enough: strings with prefixes and escapes, comments, brackets, joined lines, and
// literals made of strings. It never looks at a byte twice for long, and it knows when it ran into the end of its text.
//
// Threads: not shared. Ownership: points into the text it was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor {

struct PythonLiteral {
  enum class Kind : std::uint8_t { None, Text, List };
  Kind kind = Kind::None;
  std::vector<std::string> items;  // Text: one
};

class PythonSource {
 public:
  // A fault: what is wrong, and where.
  struct Fault {
    std::string message;
    std::string hint;
    std::size_t offset;
  };

  explicit PythonSource(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  [[nodiscard]] std::size_t offset() const { return at_; }
  [[nodiscard]] const std::optional<Fault>& fault() const { return fault_; }

  // Spaces, tabs and joined lines; inside brackets also line ends and comments.
  void skip_space(bool in_brackets = false);
  // Columns of white space at the start of a line.
  std::size_t skip_indent();
  // An empty line or a comment on its own, with its line end. False when the line holds more.
  bool skip_blank_line();
  // To the end of a statement: behind its line end or semicolon. True when a semicolon ended it.
  bool skip_statement();
  // An identifier, or nothing.
  std::string_view take_name();
  void advance(std::size_t count = 1) { at_ += count; }
  // True when a string literal starts here.
  [[nodiscard]] bool at_string() const;
  [[nodiscard]] bool at_statement_end() const;

  // Adjacent string literals as one text. Empty when one of them is an f-string (nothing is wrong with it, but it is no
  // literal) or a fault was found.
  std::optional<std::string> take_strings(bool in_brackets);
  // A literal after `=`: a string, None, or a tuple, list or set of strings. `name` is for the fault's message.
  std::optional<PythonLiteral> take_literal(std::string_view name);

  // From behind an annotation's colon to its `=` (stays on it), or to the end of the statement.
  void skip_annotation();

 private:
  struct Opening {
    std::size_t prefix = 0;  // letters
    bool raw = false;
    bool formatted = false;
    bool bytes = false;
    char quote = '"';
    bool triple = false;
  };

  [[nodiscard]] Opening opening() const;
  bool skip_string();
  bool take_string(const Opening& opening, std::string& out);
  bool take_escape(const Opening& opening, std::string& out);
  bool take_code_point(std::size_t digits, std::string& out);
  std::optional<PythonLiteral> take_element(std::string_view name, int depth);
  std::optional<PythonLiteral> take_sequence(std::string_view name, int depth);
  bool add_item(std::string_view name, PythonLiteral element, std::vector<std::string>& items);
  void fail_at(std::size_t offset, std::string message, std::string hint = {});
  void not_a_literal(std::string_view name);

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<Fault> fault_;
};

}  // namespace athanor
