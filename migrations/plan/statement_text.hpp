// Helpers shared by the splitter and the checks: trimming a statement's view, and their errors.
//
// Threads: pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {

// Counts lines from front to back, without starting over for each position.
class LineCounter {
 public:
  LineCounter(std::string_view text, int first_line) : text_(text), line_(first_line) {}
  // Positions must not decrease.
  [[nodiscard]] int line_of(std::size_t position) {
    line_ += count_lines(text_.substr(counted_), position - counted_);
    counted_ = position;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t counted_ = 0;
  int line_;
};

// text[begin, end) without trailing white space.
[[nodiscard]] std::string_view trimmed(std::string_view text, std::size_t begin, std::size_t end);
// "line 7"; parse_script() prepends the file's path.
[[nodiscard]] std::string line_context(int line);
// Whether the statement is COPY … FROM STDIN or TO STDOUT.
[[nodiscard]] bool copies_client_data(std::string_view sql);
[[nodiscard]] Error client_copy_error(int line);
// For a backslash outside quotes: names the command that begins at `position`.
[[nodiscard]] Error meta_command_error(std::string_view text, std::size_t position, int line);
[[nodiscard]] Error unterminated_error(std::string_view text, std::size_t position, int line);

}  // namespace athanor
