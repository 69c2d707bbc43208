// Finds the pg_dump and pg_restore to run.
//
// pg_dump refuses a server newer than itself, and a newer pg_dump may write settings that an older server does not know. So the
// pair with the version closest to the server's is used, and never an older one. Candidates are the user's folder (then no
// other), the folders of PATH, and /usr/lib/postgresql/*/bin, where Debian has one folder per version.
//
// Threads: safe from any; find_programs() runs programs and blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

// The folders of a list like PATH, without empty parts.
[[nodiscard]] std::vector<std::string> split_path(std::string_view path);

struct ProgramSearch {
  std::string folder;                             // the user's; empty: search the others
  std::vector<std::string> path;                  // PATH, split
  std::string installed = "/usr/lib/postgresql";  // <installed>/*/bin
  std::vector<std::string> environment;           // for running `--version`
};

struct ClientPrograms {
  std::string pg_dump;
  std::string pg_restore;
  int major = 0;
  std::string version;  // "15.20"
};

// "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" → 15 and "15.20"; 0 for any other line.
struct ProgramVersion {
  int major = 0;
  std::string text;
};
[[nodiscard]] ProgramVersion parse_program_version(std::string_view line);

// The pair for a server (or an archive) of this major version. Error: BackupRefused with the package to install.
[[nodiscard]] Result<ClientPrograms> find_programs(const ProgramSearch& search, int major, const StopToken& stop);

}  // namespace athanor
