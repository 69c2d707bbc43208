// SQL comments with foreign text: names of objects, messages, reasons.
//
// A name may contain anything but NUL. PostgreSQL ends a `--` comment at a carriage return as well as at a newline, so text
// that reaches a comment unescaped can end it, and what follows runs as SQL (compare CVE-2025-8715 of pg_dump). All SQL
// comments with text that is not our own are made here.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// "-- text\n": one line, whatever the text contains. Control characters, line ends included, are shown as \xNN.
[[nodiscard]] std::string sql_comment(std::string_view text);

}  // namespace athanor
