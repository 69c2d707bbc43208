// Finds the end of CREATE FUNCTION … BEGIN ATOMIC … END, whose semicolons belong to the body. CASE … END nests inside it.
//
// Threads: plain value; one thread.
#pragma once

#include <cstdint>

#include "migrations/text/sql_lexer.hpp"

namespace athanor {

class AtomicBody {
 public:
  void start_statement() { *this = AtomicBody(); }
  // Call for every token of the statement except comments, in order.
  void see(const SqlLexer& lexer, const Token& token);
  // Whether the last token seen is inside a body.
  [[nodiscard]] bool open() const { return depth_ > 0; }

 private:
  enum class Previous : std::uint8_t { Other, Dot, As, Begin };

  void see_head(std::string_view text);
  void see_body(std::string_view text, Previous before);

  int words_ = 0;
  int depth_ = 0;
  bool create_ = false;
  bool replace_ = false;
  bool routine_ = false;
  Previous previous_ = Previous::Other;
};

}  // namespace athanor
