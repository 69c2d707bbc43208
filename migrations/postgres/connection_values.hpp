// The values of a connection's parameters, checked before anything is sent.
//
// libpq checks some of them late, with a text that cannot be shown (it may quote a password), and passes over others. Here each
// is refused by its name, with what is allowed. Values are never told.
//
// Threads: safe from any; check_tls_files() asks the file system.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::postgres {

// Configuration when a keyword has a value that libpq would refuse, misread or ignore, or that no migration can work with
// (`replication`, another client_encoding than UTF8). Keywords that are not listed pass.
[[nodiscard]] Result<void> check_values(const std::vector<std::pair<std::string, std::string>>& keywords);

// Configuration when a keyword names a file that TLS would need and that cannot be read. libpq says so only once the server has
// agreed to TLS, and with some modes goes on without.
[[nodiscard]] Result<void> check_tls_files(const std::vector<std::pair<std::string, std::string>>& keywords);

// Configuration unless `options`, split as the server splits them, are settings and nothing else: `-c name=value` or
// `--name=value`. Refuses settings that decide how the server reads our text. `origin` names them: "PGOPTIONS".
[[nodiscard]] Result<void> check_options(std::string_view options, std::string_view origin);

}  // namespace athanor::postgres
