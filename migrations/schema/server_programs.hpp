// Finds the programs of a PostgreSQL server on this machine: initdb, pg_ctl and postgres of one major version.
//
// Searches the configured folder, or else /usr/lib/postgresql/*/bin, PATH, and the folder that pg_config reports. Runs each
// program to learn its version, because the name of a folder may be wrong.
//
// Threads: a function without shared state; runs the programs it finds.
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
  std::string folder{};             // scratch_programs; if set, no other folder is searched
  std::vector<std::string> path{};  // the folders of PATH
  std::vector<std::string> environment{};
  std::string installed = "/usr/lib/postgresql";
};

// Returns the programs of this major version, or of the newest one if `major` is 0. Error: ScratchUnavailable with what was
// found and the ways out.
[[nodiscard]] Result<ServerPrograms> find_server_programs(const ServerSearch& search, int major, const StopToken& stop);

}  // namespace athanor::schema
