// Checks the values of connection parameters before connecting.
//
// libpq checks some of them late, with a message that cannot be shown (it may quote a password), and ignores others. These
// checks name the parameter and the allowed values, and never show its value.
//
// Threads: safe from any; check_tls_files() accesses the file system.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::postgres {

// Error: Configuration when a keyword has a value that libpq would refuse, misread or ignore, or that no migration can work
// with (`replication`, a client_encoding other than UTF8). Accepts keywords that it does not know.
[[nodiscard]] Result<void> check_values(const std::vector<std::pair<std::string, std::string>>& keywords);

// Error: Configuration when a keyword names a file that TLS needs and that cannot be read. libpq reports this only after the
// server agreed to TLS, and with some modes continues without TLS.
[[nodiscard]] Result<void> check_tls_files(const std::vector<std::pair<std::string, std::string>>& keywords);

// Error: Configuration unless `options`, split as the server splits them, contain only settings: `-c name=value` or
// `--name=value`. Refuses settings that change how the server reads our text. `origin` names the source: "PGOPTIONS".
[[nodiscard]] Result<void> check_options(std::string_view options, std::string_view origin);

}  // namespace athanor::postgres
