// Where in a revision's file the server saw a fault.
//
// The server counts characters of the statement it was sent, or lines of an anonymous block's body; people look for a line and
// a column of the file.
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
  int column = 0;  // 1-based, in characters; 0: no more than the line is known
};

// `text` is the file's, which the statement points into. The statement's first line when the error has no place in it.
[[nodiscard]] FilePosition file_position(std::string_view text, const SqlStatement& statement, const Error& error);

// "versions/ab12_add_email.sql:14:7"; without the column when it is 0.
[[nodiscard]] std::string describe_position(const std::string& path, const FilePosition& position);

}  // namespace athanor
