// Turns the standard error of pg_dump and pg_restore into text that is safe to publish.
//
// Keeps only the first `error:` line. Drops details, hints, CONTEXT, statements and quoted values, which contain rows. Replaces
// secrets of the connection everywhere.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/base/process.hpp"

namespace athanor {

// "pg_dump: error: connection failed: FATAL:  database "x" does not exist" → the text after "error: ", one line, at most 500
// bytes. Empty when there is no such line.
[[nodiscard]] std::string program_message(std::string_view err, const std::vector<std::string>& secrets);

// The error for a program that ended with this exit code. Recognises lock timeouts, missing privileges and a server that is too
// new; anything else gets the code `otherwise`.
[[nodiscard]] Error program_error(std::string_view program, int exit_code, std::string_view err,
                                  const std::vector<std::string>& secrets, ErrorCode otherwise);
// As above; `otherwise` and the deadline's name when a deadline of `command` ended it.
[[nodiscard]] Error program_error(std::string_view program, const ProcessCommand& command, const ProcessEnd& end,
                                  const std::vector<std::string>& secrets, ErrorCode otherwise);

}  // namespace athanor
