// Puts a socket pair in the place of libpq's connection to the server.
//
// libpq keeps its descriptor number and notices nothing. Whoever holds the other two ends decides what passes between libpq and
// the server.
//
// Threads: one thread per connection. Ownership: the caller owns both ends.
#pragma once

#include <libpq-fe.h>

#include <optional>

#include "migrations/base/unique_fd.hpp"

namespace athanor::postgres {

struct ReplacedSocket {
  UniqueFd server;  // the connection to the server
  UniqueFd libpq;   // the other end of what libpq reads and writes; non-blocking
};

// Empty if the process has no descriptors left; then the connection is unchanged.
[[nodiscard]] std::optional<ReplacedSocket> replace_socket(PGconn* connection);

}  // namespace athanor::postgres
