#include "migrations/backup/client_programs.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>

#include "migrations/backup/child_connection.hpp"
#include "migrations/base/program_path.hpp"

namespace athanor {
namespace {

namespace fs = std::filesystem;

// Folders in order of preference among equal versions: a version's own folder is more reliable than a wrapper on PATH.
std::vector<std::string> candidates(const ProgramSearch& search) {
  if (!search.folder.empty()) {
    return {search.folder};
  }
  std::vector<std::string> folders;
  std::error_code problem;
  for (fs::directory_iterator entry(search.installed, problem), end; !problem && entry != end; entry.increment(problem)) {
    folders.push_back((entry->path() / "bin").string());
  }
  std::ranges::sort(folders);
  folders.insert(folders.end(), search.path.begin(), search.path.end());
  return folders;
}

Result<ProgramVersion> ask_version(const std::string& program, const ProgramSearch& search, const StopToken& stop) {
  std::string out;
  ProcessStreams streams;
  streams.out = keep_first(out, 4096);
  ProcessCommand command = client_command({program, "--version"}, search.environment);
  command.timeout = kClientAnswer;
  TRY_ASSIGN(const ProcessEnd end, run_process(command, streams, stop));
  return end.exit_code == 0 ? parse_program_version(out) : ProgramVersion{};
}

std::string package_hint(int major) {
  const std::string number = std::to_string(major);
  return "install the PostgreSQL " + number + " client programs (Debian, Ubuntu: postgresql-client-" + number +
         "; Fedora, Red Hat: postgresql" + number + "; Alpine: postgresql" + number +
         "-client), or name their folder in backup.programs";
}

struct Found {
  std::vector<ClientPrograms> usable;
  ClientPrograms newest;  // the newest of those that are too old, for the message
};

Result<Found> search_programs(const ProgramSearch& search, int major, const StopToken& stop) {
  Found found;
  std::set<std::string> seen;
  for (const std::string& folder : candidates(search)) {
    ClientPrograms pair{folder + "/pg_dump", folder + "/pg_restore", 0, {}};
    std::error_code problem;
    // Several folders may lead to the same program: run it once.
    const std::string real = fs::weakly_canonical(pair.pg_dump, problem).string();
    if (!is_program(pair.pg_dump) || !is_program(pair.pg_restore) || !seen.insert(real).second) {
      continue;
    }
    TRY_ASSIGN(const ProgramVersion version, ask_version(pair.pg_dump, search, stop));
    pair.major = version.major;
    pair.version = version.text;
    // pg_dump refuses a server that is newer than itself.
    if (pair.major >= major) {
      found.usable.push_back(std::move(pair));
    } else if (pair.major > found.newest.major) {
      found.newest = std::move(pair);
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> folders;
  while (!path.empty()) {
    const std::size_t colon = std::min(path.find(':'), path.size());
    if (colon > 0) {
      folders.emplace_back(path.substr(0, colon));
    }
    path.remove_prefix(std::min(colon + 1, path.size()));
  }
  return folders;
}

ProgramVersion parse_program_version(std::string_view line) {
  constexpr std::string_view kMark = "(PostgreSQL) ";
  const auto at = line.find(kMark);
  if (at == std::string_view::npos) {
    return {};
  }
  line.remove_prefix(at + kMark.size());
  line = line.substr(0, line.find_first_of(" \n\r\t"));
  ProgramVersion version;
  const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), version.major);
  if (problem != std::errc{} || version.major <= 0) {
    return {};
  }
  version.text = line;
  return version;
}

Result<ClientPrograms> find_programs(const ProgramSearch& search, int major, const StopToken& stop) {
  TRY_ASSIGN(Found found, search_programs(search, major, stop));
  if (!found.usable.empty()) {
    return *std::ranges::min_element(found.usable, {}, &ClientPrograms::major);
  }
  if (found.newest.major > 0) {
    return fail(Error(ErrorCode::BackupRefused, "pg_dump " + found.newest.version + " (" + found.newest.pg_dump +
                                                    ") is older than PostgreSQL " + std::to_string(major) +
                                                    " and cannot read it")
                    .advise(package_hint(major)));
  }
  const std::string where = search.folder.empty() ? "on PATH or in " + search.installed : "in " + search.folder;
  return fail(Error(ErrorCode::BackupRefused, "pg_dump and pg_restore were not found " + where).advise(package_hint(major)));
}

}  // namespace athanor
