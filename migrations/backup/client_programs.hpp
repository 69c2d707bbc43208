// Which pg_dump and pg_restore to run.
//
// pg_dump refuses a server newer than itself, and what a newer one writes may hold settings that an older server does not know.
// So the pair closest to the server's version is taken, never one below it. Candidates are the folder the user named (then
// nothing else), the folders of PATH, and /usr/lib/postgresql/*/bin, where Debian keeps one folder per version.
//
// Threads: pure functions that run programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

// The folders of a list such as PATH; empty parts are left out.
[[nodiscard]] std::vector<std::string> split_path(std::string_view path);

struct ProgramSearch {
  std::string folder;                             // the user's; empty: the others are searched
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

// "pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)" → 15 and "15.20"; 0 when it is no such line.
struct ProgramVersion {
  int major = 0;
  std::string text;
};
[[nodiscard]] ProgramVersion parse_program_version(std::string_view line);

// The pair to use for a server (or an archive) of this major version. BackupRefused names the package to install.
[[nodiscard]] Result<ClientPrograms> find_programs(const ProgramSearch& search, int major, const StopToken& stop);

}  // namespace athanor
