// A cursor over Python source that understands only strings with prefixes and escapes, comments, brackets, joined lines, and
// literals made of strings. It reads each byte a bounded number of times, and detects that it reached the end of its text.
//
// Threads: not shared. Ownership: points into the given text.
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
  std::vector<std::string> items;  // one item for Text
};

class PythonSource {
 public:
  // What is wrong, and where.
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

  // Skips spaces, tabs and joined lines; in brackets also line ends and comments.
  void skip_space(bool in_brackets = false);
  // Skips white space at the start of a line and returns its number of columns.
  std::size_t skip_indent();
  // Skips an empty line, or a line with only a comment, and its line end. Returns false for any other line.
  bool skip_blank_line();
  // Skips to the end of the statement, after its line end or semicolon. Returns true when a semicolon ended it.
  bool skip_statement();
  // Takes an identifier; empty when there is none.
  std::string_view take_name();
  void advance(std::size_t count = 1) { at_ += count; }
  // Whether a string literal starts here.
  [[nodiscard]] bool at_string() const;
  [[nodiscard]] bool at_statement_end() const;

  // Takes adjacent string literals as one text. Empty if one is an f-string (which is valid, but not a literal), or after a
  // fault.
  std::optional<std::string> take_strings(bool in_brackets);
  // Takes a literal after `=`: a string, None, or a tuple, list or set of strings. `name` is used in the fault's message.
  std::optional<PythonLiteral> take_literal(std::string_view name);

  // Skips from after an annotation's colon to its `=`, which is not consumed, or to the end of the statement.
  void skip_annotation();

 private:
  struct Opening {
    std::size_t prefix = 0;  // number of letters
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
