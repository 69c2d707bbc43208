// The programs of a PostgreSQL server on this machine: initdb, pg_ctl and postgres of one major version.
//
// Looked for in the folder the configuration names, or else in /usr/lib/postgresql/*/bin, on PATH, and where pg_config says.
// A program is asked for its version; the name of its folder is not believed.
//
// Threads: pure function of the disk; runs the programs it finds.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::schema {

struct ServerPrograms {
  std::string folder;
  int major = 0;
};

struct ServerSearch {
  std::string folder{};             // scratch_programs; when it is set nothing else is looked at
  std::vector<std::string> path{};  // folders of PATH
  std::vector<std::string> environment{};
  std::string installed = "/usr/lib/postgresql";
};

// Programs of this major version; 0: of the newest there is. ScratchUnavailable names what was found and the ways out.
[[nodiscard]] Result<ServerPrograms> find_server_programs(const ServerSearch& search, int major, const StopToken& stop);

}  // namespace athanor::schema
