// Access to libpg_query: no other code calls the library.
//
// The library keeps memory in thread-local contexts that it frees at thread exit, but initialises each thread through an
// unguarded global. So the first call of each thread is serialised here, and later calls run in parallel. Every thread that
// calls it permanently uses one of the process's 1,024 pthread keys: call it from a thread pool, not from one thread per task.
//
// Comments are removed first: PostgreSQL's scanner takes quadratic time for a run of operator characters, which comments may
// contain. Other text with more than 512 of them in a row counts as unreadable.
//
// Threads: safe from any thread. Text must not contain NUL bytes: the library reads C strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor {

struct ScannedStatement {
  std::size_t begin = 0;  // directly after the previous semicolon
  std::size_t end = 0;    // at its semicolon, or the end of the text
};

// The statements that PostgreSQL 15's scanner finds; empty when it cannot read the text. Omits pieces without a keyword, and
// all text after an unbalanced parenthesis. Used only to compare with split_statements() in tests.
[[nodiscard]] std::optional<std::vector<ScannedStatement>> scan_statements(const std::string& text);
// Whether PostgreSQL 15's grammar accepts the text.
[[nodiscard]] bool can_parse(const std::string& text);
// The parse tree as JSON; empty when the grammar does not accept the text.
[[nodiscard]] std::optional<std::string> parse_tree(const std::string& text);
// The PL/pgSQL code of a DO or CREATE FUNCTION statement as JSON; empty when it cannot be read. Statements and expressions in
// it are text, to be passed to parse_tree().
[[nodiscard]] std::optional<std::string> parse_procedure(const std::string& statement);

}  // namespace athanor
