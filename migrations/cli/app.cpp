#include "migrations/cli/app.hpp"

#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/private_memory.hpp"
#include "migrations/base/process.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/base/write_all.hpp"
#include "migrations/cli/program.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor::cli {
namespace {

// A signal handler has no argument for context: through this it finds the process's StopSource.
std::atomic<StopSource*> signal_target{nullptr};

void on_signal(int /*number*/) {
  const int saved = errno;
  if (StopSource* target = signal_target.load(std::memory_order_acquire); target != nullptr) {
    target->request();
  }
  errno = saved;
}

void catch_signals(StopSource& stop) {
  signal_target.store(&stop, std::memory_order_release);
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    ::sigaction(number, &action, nullptr);
  }
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
}

void print(int descriptor, std::string_view text) {
  // A failure means that the reader has closed the pipe: there is nobody left to tell.
  [[maybe_unused]] const bool written = write_all(descriptor, text);
}

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// The user from the environment, or else the user id: the name service would be slow to load.
std::string actor() {
  std::string user = variable("USER").value_or(variable("LOGNAME").value_or(""));
  if (user.empty()) {
    user = "uid " + std::to_string(::getuid());
  }
  struct utsname machine {};
  std::string name = ::uname(&machine) == 0 ? user + "@" + machine.nodename : user;
  // It is written to the ledger with every revision, and a name that the server rejects as text must not fail a migration.
  if (find_non_text(name) || holds_control_character(name)) {
    std::ranges::replace_if(
        name, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  }
  return name;
}

// The folder for caches according to the XDG base directories; empty if the environment does not determine one.
std::string cache_folder() {
  for (const auto& [name, below] : {std::pair("XDG_CACHE_HOME", "/athanor"), std::pair("HOME", "/.cache/athanor")}) {
    if (const auto base = variable(name).value_or(""); base.starts_with('/')) {
      return base + below;
    }
  }
  return {};
}

// Reads one line from the terminal; empty at the end of the input, or after a signal.
std::optional<std::string> ask(const std::string& question) {
  if (!write_all(STDERR_FILENO, question)) {
    return std::nullopt;
  }
  std::string line;
  for (char letter = 0; ::read(STDIN_FILENO, &letter, 1) == 1;) {
    if (letter == '\n') {
      return line;
    }
    line += letter;
  }
  return std::nullopt;
}

// Replaces this process with the program of this name, found beside this one or on PATH.
Error become(const std::vector<std::string>& command) {
  std::array<char, 4096> own{};
  const ssize_t length = ::readlink("/proc/self/exe", own.data(), own.size());
  std::string beside(own.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  beside = beside.substr(0, beside.rfind('/') + 1) + command.front();
  std::vector<char*> words;
  for (const std::string& word : command) {
    words.push_back(const_cast<char*>(word.c_str()));  // NOLINT(cppcoreguidelines-pro-type-const-cast): execv() changes none
  }
  words.push_back(nullptr);
  ::execv(beside.c_str(), words.data());
  ::execvp(command.front().c_str(), words.data());
  return Error(ErrorCode::Io, "the program " + command.front() + " cannot be started: " + std::strerror(errno))
      .advise("install it beside athanor, or use `kubectl wait --for=condition=Ready`");
}

int terminal_columns() {
  struct winsize size {};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

Result<std::unique_ptr<SessionFactory>> connect(const std::string& url, const ExecutionSettings& settings,
                                                const StopToken& stop) {
  TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(url, settings, stop));
  return std::unique_ptr<SessionFactory>(std::move(factory));
}

}  // namespace

int run(int argc, const char* const* argv) {
  keep_memory_private();
  SystemClock clock;
  StopSource stop;
  catch_signals(stop);
  ProcessEnvironment outside;
  outside.variable = variable;
  outside.connect = [&stop](const std::string& url, const ExecutionSettings& settings) {
    return connect(url, settings, stop.token());
  };
  outside.connection_keywords = postgres::connection_keywords;
  outside.environment = [] { return inherited_environment(); };
  outside.open_source = [&clock](const Configuration& configuration) -> std::unique_ptr<RevisionSource> {
    HeaderCacheSettings cache{configuration.header_cache ? cache_folder() : std::string(), &clock};
    return std::make_unique<FolderSource>(configuration.version_locations, configuration.recursive_version_locations,
                                          configuration.limits, std::move(cache));
  };
  outside.cache_folder = cache_folder();
  outside.become = become;
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1) {
    outside.ask = ask;
  }
  outside.clock = &clock;
  outside.stop = stop.token();
  outside.actor = actor();
  outside.out_is_terminal = ::isatty(STDOUT_FILENO) == 1;
  outside.err_is_terminal = ::isatty(STDERR_FILENO) == 1;
  outside.columns = terminal_columns();
  const std::vector<std::string_view> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const int code = run_program(
      words, outside, [](std::string_view text) { print(STDOUT_FILENO, text); },
      [](std::string_view text) { print(STDERR_FILENO, text); });
  signal_target.store(nullptr, std::memory_order_release);
  return code;
}

}  // namespace athanor::cli
