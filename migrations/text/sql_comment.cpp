#include "migrations/text/sql_comment.hpp"

#include "migrations/text/printable.hpp"

namespace athanor {

std::string sql_comment(std::string_view text) {
  return "-- " + printable(text, LineEnds::Escape) + "\n";
}

}  // namespace athanor
