// What pg_dump and pg_restore print on standard error, in words that are safe to publish.
//
// Only the first `error:` line is kept. Details, hints, CONTEXT, the text of statements and quoted values go: they show rows.
// Secrets of the connection are blotted out wherever they stand.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/error.hpp"

namespace athanor {

// "pg_dump: error: connection failed: FATAL:  database "x" does not exist" → the text behind "error: ", one line, at most 500
// bytes. Empty when the program said nothing that counts.
[[nodiscard]] std::string program_message(std::string_view err, const std::vector<std::string>& secrets);

// The error for a program that ended with this exit code: lock time-outs, missing privileges and a server that is too new are
// told apart; everything else is `otherwise`.
[[nodiscard]] Error program_error(std::string_view program, int exit_code, std::string_view err,
                                  const std::vector<std::string>& secrets, ErrorCode otherwise);

}  // namespace athanor
