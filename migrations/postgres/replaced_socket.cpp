#include "migrations/postgres/replaced_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace athanor::postgres {

std::optional<ReplacedSocket> replace_socket(PGconn* connection) {
  const int descriptor = PQsocket(connection);
  UniqueFd server(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
  std::array<int, 2> pair{-1, -1};
  if (!server || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair.data()) != 0) {
    return std::nullopt;
  }
  const UniqueFd theirs(pair[0]);
  UniqueFd ours(pair[1]);
  // libpq keeps its descriptor number, which now refers to the socket pair instead of the server.
  if (::dup3(theirs.get(), descriptor, O_CLOEXEC) != descriptor) {
    return std::nullopt;
  }
  return ReplacedSocket{std::move(server), std::move(ours)};
}

}  // namespace athanor::postgres
