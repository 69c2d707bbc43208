// Settings that change how the server reads the bytes that follow: client_encoding and standard_conforming_strings.
//
// A revision's text is UTF-8 with standard strings, and has been checked as such. Where a statement says literally that the
// server is to read it otherwise, it is refused here; what a function or generated SQL sets is undone at run time.
//
// Threads: pure functions.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/plan/statement.hpp"

namespace athanor {

// UnsupportedStatement with the statement's line for SET, SET NAMES, set_config(), UPDATE pg_settings and ALTER ROLE | DATABASE
// | SYSTEM … SET with another value than UTF8 and on. pg_dump's own lines pass.
[[nodiscard]] Result<void> check_byte_settings(const SqlStatement& statement);

}  // namespace athanor
