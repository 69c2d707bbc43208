#include "migrations/cli/foreground_process.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

namespace athanor::cli {
namespace {

class SpawnSettings {
 public:
  SpawnSettings() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // What this program does about signals is none of the child's business.
  int restore_signals() {
    sigset_t defaults;
    ::sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) {
      ::sigaddset(&defaults, number);
    }
    const int problem = ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    return problem != 0 ? problem : ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  posix_spawn_file_actions_t* actions() { return &actions_; }
  posix_spawnattr_t* attributes() { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

tl::unexpected<Error> not_started(const std::string& name, int number) {
  return fail(Error(ErrorCode::Io, "cannot run '" + name + "': " + std::generic_category().message(number)));
}

}  // namespace

Result<int> run_foreground(const ForegroundProcess& process) {
  if (process.arguments.empty()) {
    return not_started("", EINVAL);
  }
  std::vector<std::string> owned = process.arguments;
  std::vector<char*> arguments;
  arguments.reserve(owned.size() + 1);
  for (std::string& argument : owned) {
    arguments.push_back(argument.data());
  }
  arguments.push_back(nullptr);
  SpawnSettings settings;
  int problem = settings.restore_signals();
  if (problem == 0 && !process.folder.empty()) {
    problem = ::posix_spawn_file_actions_addchdir_np(settings.actions(), process.folder.c_str());
  }
  if (problem == 0 && process.out_to_err) {
    problem = ::posix_spawn_file_actions_adddup2(settings.actions(), STDERR_FILENO, STDOUT_FILENO);
  }
  pid_t child = 0;
  if (problem == 0) {
    problem = ::posix_spawnp(&child, arguments.front(), settings.actions(), settings.attributes(), arguments.data(), environ);
  }
  if (problem != 0) {
    return not_started(process.arguments.front(), problem);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) {
      return not_started(process.arguments.front(), errno);
    }
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool more = i + 1 < text.size();
    if (quote == '\'' || (quote == '"' && c != '\\')) {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\\' && more) {
      const char next = text[++i];
      if (quote == '"' && next != '"' && next != '\\' && next != '$' && next != '`') {
        word += c;
      }
      word += next;
      in_word = true;
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (in_word) {
        words.push_back(std::exchange(word, {}));
        in_word = false;
      }
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != '\0') {
    return fail(ErrorCode::Configuration, "a quote is not closed in: " + std::string(text));
  }
  if (in_word) {
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace athanor::cli
