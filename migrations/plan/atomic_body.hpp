// Where CREATE FUNCTION … BEGIN ATOMIC … END ends: semicolons inside belong to the body. CASE … END nests there.
//
// Threads: plain value.
#pragma once

#include <cstdint>

#include "migrations/text/sql_lexer.hpp"

namespace athanor {

class AtomicBody {
 public:
  void start_statement() { *this = AtomicBody(); }
  // Every token of the statement that is not a comment, in order.
  void see(const SqlLexer& lexer, const Token& token);
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
