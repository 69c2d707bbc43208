#include "migrations/schema/server_programs.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>
#include <system_error>

#include "migrations/base/process.hpp"
#include "migrations/base/program_path.hpp"

namespace athanor::schema {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostOutput = 4096;
constexpr milliseconds kAnswerWithin = std::chrono::seconds(30);

// The output of a program; empty if it cannot run.
std::string answer_of(std::vector<std::string> arguments, const ServerSearch& search, const StopToken& stop) {
  std::string out;
  ProcessCommand command;
  command.arguments = std::move(arguments);
  command.environment = search.environment;
  command.timeout = kAnswerWithin;
  ProcessStreams streams;
  streams.out = keep_first(out, kMostOutput);
  const auto end = run_process(command, streams, stop);
  if (!end || end->exit_code != 0) {
    return {};
  }
  while (out.ends_with('\n')) {
    out.pop_back();
  }
  return out;
}

// "postgres (PostgreSQL) 15.18 (Debian …)", "… 18beta2": 15, 18. 0 for anything else.
int major_version(std::string_view line) {
  constexpr std::string_view kMark = "(PostgreSQL) ";
  const std::size_t at = line.find(kMark);
  int major = 0;
  if (at != std::string_view::npos) {
    line.remove_prefix(at + kMark.size());
    std::from_chars(line.data(), line.data() + line.size(), major);
  }
  return major;
}

std::vector<std::string> candidates(const ServerSearch& search, const StopToken& stop) {
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
  if (const std::string named = answer_of({"pg_config", "--bindir"}, search, stop); named.starts_with('/')) {
    folders.push_back(named);
  }
  return folders;
}

std::vector<ServerPrograms> all_programs(const ServerSearch& search, const StopToken& stop) {
  std::vector<ServerPrograms> found;
  std::set<std::string> seen;
  for (const std::string& folder : candidates(search, stop)) {
    std::error_code problem;
    // Follow links from places such as /usr/local/bin to the folder that contains the other programs.
    const std::string real = fs::canonical(folder + "/postgres", problem).parent_path().string();
    const bool complete = !problem && is_program(real + "/initdb") && is_program(real + "/pg_ctl");
    if (!complete || !seen.insert(real).second) {
      continue;
    }
    if (const int major = major_version(answer_of({real + "/postgres", "--version"}, search, stop)); major > 0) {
      found.push_back({real, major});
    }
  }
  return found;
}

std::string way_out(int major) {
  const std::string number = major > 0 ? std::to_string(major) : "15";
  return "install the PostgreSQL " + number + " server (Debian, Ubuntu: apt-get install postgresql-" + number +
         "; no cluster needs to run), name the folder of its programs in scratch_programs, or set scratch_url to a server "
         "of version " +
         number + " where databases may be created";
}

}  // namespace

Result<ServerPrograms> find_server_programs(const ServerSearch& search, int major, const StopToken& stop) {
  const std::vector<ServerPrograms> found = all_programs(search, stop);
  if (major == 0 && !found.empty()) {
    return *std::ranges::max_element(found, {}, &ServerPrograms::major);
  }
  if (const auto match = std::ranges::find(found, major, &ServerPrograms::major); match != found.end()) {
    return *match;
  }
  std::string message =
      major > 0 ? "a scratch database needs PostgreSQL " + std::to_string(major) + ", as on the target, and this machine has "
                : std::string("a scratch database needs a PostgreSQL server, and this machine has ");
  if (found.empty()) {
    message += "none";
    message += search.folder.empty() ? "" : " in " + search.folder;
  } else {
    std::string versions;
    for (const ServerPrograms& programs : found) {
      versions += (versions.empty() ? "version " : ", ") + std::to_string(programs.major);
    }
    message += versions + " only";
  }
  return fail(Error(ErrorCode::ScratchUnavailable, std::move(message)).advise(way_out(major)));
}

}  // namespace athanor::schema
