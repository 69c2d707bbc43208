// The folder with pg_dump and pg_restore. pg_dump refuses a server newer than itself, so for such a run ATHANOR_POSTGRES_BIN
// names the folder of that server's programs; otherwise Debian's /usr/bin is used.
//
// Threads: reads the environment; call it while no other thread changes it.
#pragma once

#include <cstdlib>
#include <string>

namespace athanor::test {

[[nodiscard]] inline std::string client_folder() {
  const char* chosen = std::getenv("ATHANOR_POSTGRES_BIN");
  return chosen == nullptr ? "/usr/bin" : chosen;
}

}  // namespace athanor::test
