// Where pg_dump and pg_restore are that are not older than the server of the run: with that server, or Debian's.
#pragma once

#include <cstdlib>
#include <string>

namespace athanor::test {

[[nodiscard]] inline std::string client_folder() {
  const char* chosen = std::getenv("ATHANOR_POSTGRES_BIN");
  return chosen == nullptr ? "/usr/bin" : chosen;
}

}  // namespace athanor::test
