#include "migrations/base/captured_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace athanor {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return number_; }
  void reset() {
    if (number_ >= 0) {
      ::close(std::exchange(number_, -1));
    }
  }

 private:
  int number_;
};

Error system_error(const std::string& what, int number) {
  return Error(ErrorCode::Io, what + ": " + std::generic_category().message(number));
}

// The input as a file of its own in memory, so that nobody has to write while the child writes.
bool fill(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return false;
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return ::lseek(descriptor, 0, SEEK_SET) == 0;
}

std::string drain(int descriptor) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      return text;
    }
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};

  SpawnSettings(const std::string& folder, int in, int out) {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (!folder.empty()) {
      ::posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    }
    // Signals are as a shell would have them: ours may be blocked and read elsewhere.
    sigset_t none;
    sigset_t usual;
    ::sigemptyset(&none);
    ::sigemptyset(&usual);
    for (const int number : {SIGINT, SIGTERM, SIGPIPE, SIGHUP}) {
      ::sigaddset(&usual, number);
    }
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &usual);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

}  // namespace

Result<CapturedOutput> capture_process(const std::vector<std::string>& arguments, const std::string& folder,
                                       std::string_view input) {
  const Descriptor in(::memfd_create("athanor-input", MFD_CLOEXEC));
  if (in.get() < 0 || !fill(in.get(), input)) {
    return fail(system_error("cannot hand over the input of a program", errno));
  }
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return fail(system_error("cannot make a pipe", errno));
  }
  const Descriptor out(ends[0]);
  Descriptor child_out(ends[1]);
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  const SpawnSettings settings(folder, in.get(), child_out.get());
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, pointers[0], &settings.actions, &settings.attributes, pointers.data(), environ);
  if (failed != 0) {
    return fail(system_error("cannot run " + arguments.front(), failed));
  }
  child_out.reset();
  CapturedOutput result;
  result.out = drain(out.get());
  result.exit_code = wait_for(child);
  return result;
}

}  // namespace athanor
