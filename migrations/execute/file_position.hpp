// Maps the position of an error in a statement to a line and column of the revision's file.
//
// The server reports the character within the statement it received, or the line within the body of a DO block.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/error.hpp"
#include "migrations/plan/statement.hpp"

namespace athanor {

struct FilePosition {
  int line = 0;    // 1-based
  int column = 0;  // 1-based, in characters; 0: only the line is known
};

// `text` is the text of the file; the statement must point into it for a column. Returns the first line of the statement when
// the error has no position.
[[nodiscard]] FilePosition file_position(std::string_view text, const SqlStatement& statement, const Error& error);

// "versions/ab12_add_email.sql:14:7"; without the column when it is 0.
[[nodiscard]] std::string describe_position(const std::string& path, const FilePosition& position);

}  // namespace athanor
