// Refuses to change the settings that decide how the server reads following text: client_encoding and
// standard_conforming_strings.
//
// A revision is checked as UTF-8 text with standard strings. A statement that literally changes this is refused here; what a
// function or dynamic SQL changes is undone at run time.
//
// Threads: pure functions.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/plan/statement.hpp"

namespace athanor {

// Error: UnsupportedStatement, with the statement's line, for SET, SET NAMES, set_config(), UPDATE pg_settings and ALTER ROLE |
// DATABASE | SYSTEM … SET with a value other than UTF8 or on. The lines that pg_dump writes are accepted.
[[nodiscard]] Result<void> check_byte_settings(const SqlStatement& statement);

// Whether the server would read `sql` differently under other values of the two settings: only backslashes and non-ASCII
// characters are affected.
[[nodiscard]] bool depends_on_byte_settings(std::string_view sql);

}  // namespace athanor
