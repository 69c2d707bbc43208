// Access to libpg_query; nothing else calls the library.
//
// The library keeps its memory in thread-local contexts and frees them when the thread ends, but it sets up each thread through
// one unguarded global: first calls are serialised here, later ones run in parallel. Every thread that ever calls it takes one
// of the process's 1,024 pthread keys for good, so call it from pools, not from a thread per task.
//
// Comments are taken out of the text first: PostgreSQL's scanner needs time with the square of a run of operator signs, and
// comments may be such runs. Other texts with one of more than 512 signs count as unreadable.
//
// Threads: safe from any thread. Text must not hold NUL bytes: the library reads C strings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace athanor {

struct ScannedStatement {
  std::size_t begin = 0;  // just behind the semicolon before it
  std::size_t end = 0;    // at its semicolon, or the end of the text
};

// Statements that PostgreSQL 15's scanner sees, or nothing when it cannot read the text. Pieces without a keyword and all text
// behind an unbalanced parenthesis are missing. split_statements() is compared with it; nothing else uses it.
[[nodiscard]] std::optional<std::vector<ScannedStatement>> scan_statements(const std::string& text);
// Whether PostgreSQL 15's grammar accepts the text.
[[nodiscard]] bool can_parse(const std::string& text);
// The parse tree as JSON, or nothing when the grammar does not accept the text.
[[nodiscard]] std::optional<std::string> parse_tree(const std::string& text);
// The PL/pgSQL code of the DO or CREATE FUNCTION statement `statement` as JSON, or nothing when it cannot be read. Statements
// and expressions in it are text, each for parse_tree().
[[nodiscard]] std::optional<std::string> parse_procedure(const std::string& statement);

}  // namespace athanor
