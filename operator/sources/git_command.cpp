#include "operator/sources/git_command.hpp"

#include <algorithm>
#include <array>
#include <sstream>

#include "migrations/text/foreign_message.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxOutput = std::size_t{1} << 20U;
// Limits of one run. Git maps packs piece by piece and streams large files, so ordinary repositories stay far below them.
constexpr std::uint64_t kMostMemory = std::uint64_t{768} << 20U;
constexpr std::uint64_t kMostFile = std::uint64_t{1} << 30U;
constexpr std::uint64_t kMostProcessorSeconds = 120;

// These settings override the configuration of the repository and the machine. Hooks, attributes, fsmonitor, askPass,
// credential helpers and the ext protocol could run programs; the file protocol could read local repositories. fsckObjects
// rejects malformed objects. Redirects are not followed, because they could send our credentials to another host. The pack and
// memory settings keep large repositories within kMostMemory.
constexpr std::array<std::pair<const char*, const char*>, 23> kSettings{{{"core.hooksPath", "/dev/null"},
                                                                         {"core.attributesFile", "/dev/null"},
                                                                         {"core.fsmonitor", "false"},
                                                                         {"core.askPass", ""},
                                                                         {"credential.helper", ""},
                                                                         {"protocol.file.allow", "never"},
                                                                         {"protocol.ext.allow", "never"},
                                                                         {"submodule.recurse", "false"},
                                                                         {"fetch.recurseSubmodules", "false"},
                                                                         {"fetch.fsckObjects", "true"},
                                                                         {"transfer.fsckObjects", "true"},
                                                                         {"fetch.unpackLimit", "1"},
                                                                         {"gc.auto", "0"},
                                                                         {"maintenance.auto", "false"},
                                                                         {"core.bigFileThreshold", "1m"},
                                                                         {"core.deltaBaseCacheLimit", "16m"},
                                                                         {"core.packedGitWindowSize", "16m"},
                                                                         {"core.packedGitLimit", "64m"},
                                                                         {"pack.threads", "1"},
                                                                         {"http.followRedirects", "false"},
                                                                         {"http.sslVerify", "true"},
                                                                         {"http.lowSpeedLimit", "1"},
                                                                         {"http.lowSpeedTime", "30"}}};

bool has_any(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&text](std::string_view word) { return text.find(word) != std::string::npos; });
}

// Removes durations, so that the same problem always has the same message and does not cause another status update.
std::string without_times(std::string words) {
  constexpr std::string_view kAfter = " after ";
  for (std::size_t at = words.find(kAfter); at != std::string::npos; at = words.find(kAfter, at + 1)) {
    const std::size_t digits = at + kAfter.size();
    const std::size_t unit = std::min(words.find_first_not_of("0123456789", digits), words.size());
    for (const std::string_view name : {" milliseconds", " ms"}) {
      if (unit > digits && words.compare(unit, name.size(), name) == 0) {
        words.erase(at, unit + name.size() - at);
        break;
      }
    }
  }
  return words;
}

// Returns git's message as one line without its prefixes, warnings and advice.
std::string reported(const std::string& complaint) {
  std::istringstream lines(complaint);
  std::string words;
  for (std::string line; std::getline(lines, line);) {
    for (const std::string_view prefix : {"fatal: ", "error: "}) {
      if (line.starts_with(prefix)) {
        line.erase(0, prefix.size());
      }
    }
    if (line.empty() || line == "\r" ||
        has_any(line, {"Please make sure you have", "and the repository exists", "warning: "})) {
      continue;
    }
    words += (words.empty() ? "" : "; ") + line;
  }
  return fit_for_message(without_times(std::move(words)));
}

// Returns a short text for messages of git and ssh that are long or ask for input; empty when the original is good enough.
std::string put_plainly(const std::string& raw, bool with_password) {
  if (has_any(raw, {"REMOTE HOST IDENTIFICATION HAS CHANGED", "Host key verification failed"})) {
    return "Host key verification failed: the host's key is not in known_hosts";
  }
  if (has_any(raw, {"could not read Username", "could not read Password", "Authentication failed"})) {
    return with_password ? "Authentication failed: the server rejected the username or password"
                         : "Authentication failed: the server requires a username and password";
  }
  return {};
}

Error failure_of(const GitRun& run, const ProcessEnd& end) {
  const std::string& subcommand = run.arguments.front();
  const std::string& raw = end.err;
  const bool with_password = run.access != nullptr && run.access->has_password();
  std::string words = put_plainly(raw, with_password);
  words = words.empty() ? reported(raw) : words;
  Error error(ErrorCode::Io,
              "git " + subcommand + (words.empty() ? " failed with exit code " + std::to_string(end.exit_code) : ": " + words));
  if (has_any(raw, {"Host key verification failed"})) {
    return std::move(error).advise("put the host's key, once verified, in the key `known_hosts` of the Secret");
  }
  if (has_any(raw, {"Authentication failed", "could not read Username", "could not read Password", "Permission denied (",
                    "error: 401", "error: 403", "terminal prompts disabled"})) {
    return std::move(error).advise("correct the Secret that git.secretRef names, or the permissions of its account");
  }
  if (has_any(raw, {"error: 301", "error: 302", "error: 303", "error: 307", "error: 308"})) {
    return std::move(error)
        .with_retry(RetryClass::Terminal)
        .advise("use the URL that the server redirects to: redirects are not followed");
  }
  if (has_any(raw, {"not allowed", "fsck error", "unable to find remote helper"})) {
    return std::move(error).with_retry(RetryClass::Terminal);
  }
  if (has_any(raw, {"not our ref", "unadvertised object"})) {
    return std::move(error)
        .with_retry(RetryClass::Terminal)
        .advise("push the commit, or name a branch or tag: not every server serves arbitrary commits");
  }
  if (has_any(raw, {"not found", "does not exist", "does not appear to be a git repository"})) {
    return std::move(error).advise("correct the URL; a private repository may need git.secretRef");
  }
  return error;
}

std::string in_seconds(milliseconds duration) {
  return duration.count() % 1'000 == 0 ? std::to_string(duration.count() / 1'000) + " s"
                                       : std::to_string(duration.count()) + " ms";
}

}  // namespace

std::vector<std::string> GitCommand::environment(const GitRun& run) const {
  std::vector<std::string> variables = surroundings_.environment;
  Variables settings(kSettings.begin(), kSettings.end());
  if (!surroundings_.authorities.empty()) {
    settings.emplace_back("http.sslCAInfo", surroundings_.authorities);  // those of a Secret come later, and win
  }
  if (run.access != nullptr) {
    settings.insert(settings.end(), run.access->settings().begin(), run.access->settings().end());
    if (!run.access->ssh_command().empty()) {
      variables.push_back("GIT_SSH_COMMAND=" + run.access->ssh_command());
      variables.emplace_back("GIT_SSH_VARIANT=ssh");
    }
  }
  // No replace objects: refs/replace could substitute other content for a commit. LC_ALL=C: failure_of() compares English
  // messages.
  for (const char* variable :
       {"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null", "MALLOC_ARENA_MAX=1", "GIT_TERMINAL_PROMPT=0",
        "GIT_ATTR_NOSYSTEM=1", "GIT_NO_REPLACE_OBJECTS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_PROTOCOL_FROM_USER=0", "LC_ALL=C"}) {
    variables.emplace_back(variable);
  }
  variables.push_back("HOME=" + surroundings_.folder);
  variables.push_back("GIT_ALLOW_PROTOCOL=" + surroundings_.protocols);
  // Set it always, so that git does not find a repository around our working directory.
  variables.push_back("GIT_DIR=" + (run.repository.empty() ? std::string("/dev/null") : run.repository));
  variables.push_back("GIT_CONFIG_GLOBAL=" + (run.access == nullptr ? std::string("/dev/null") : run.access->configuration()));
  variables.push_back("GIT_CONFIG_COUNT=" + std::to_string(settings.size()));
  for (std::size_t i = 0; i < settings.size(); ++i) {
    variables.push_back("GIT_CONFIG_KEY_" + std::to_string(i) + "=" + settings[i].first);
    variables.push_back("GIT_CONFIG_VALUE_" + std::to_string(i) + "=" + settings[i].second);
  }
  return variables;
}

Result<void> GitCommand::run(const GitRun& run) const {
  if (surroundings_.program.empty()) {
    return fail(Error(ErrorCode::Io, "git is not installed")
                    .with_retry(RetryClass::Terminal)
                    .advise("install git on the operator's machine, or use the operator's image"));
  }
  ProcessCommand command;
  command.arguments = {surroundings_.program};
  command.arguments.insert(command.arguments.end(), run.arguments.begin(), run.arguments.end());
  command.environment = environment(run);
  command.clock = &clock_;
  command.timeout = surroundings_.timeout;
  command.limits = {kMostFile, kMostMemory, kMostProcessorSeconds};
  if (run.access != nullptr) {
    command.inherited = run.access->inherited();
  }
  TRY_ASSIGN(const ProcessEnd end, run_process(command, {run.in, run.out, run.watch}, stop_));
  if (end.timed_out) {
    return fail(
        Error(ErrorCode::Io, "git " + run.arguments.front() + " did not finish within " + in_seconds(surroundings_.timeout)));
  }
  if (end.exit_code != 0) {
    return fail(failure_of(run, end));
  }
  return {};
}

Result<std::string> GitCommand::output(GitRun run) const {
  std::string text;
  run.out = [&text](std::string_view bytes) -> Result<void> {
    if (text.size() + bytes.size() > kMaxOutput) {
      return fail(ErrorCode::FileTooLarge, "the output of git is too long");
    }
    text += bytes;
    return {};
  };
  TRY(this->run(run));
  return text;
}

}  // namespace athanor::controller
