#include "operator/kube/exec_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <string_view>
#include <system_error>

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxComplaint = 4096;
constexpr std::size_t kMessageLength = 300;
constexpr std::size_t kTokenLength = 32;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void set(int number) {
    reset();
    number_ = number;
  }
  void reset() {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = -1;
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor in, out;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return false;
    }
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    in.set(ends[0]);
    out.set(ends[1]);
    return true;
  }
};

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> variables;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto name = text.substr(0, text.find('='));
    if (std::none_of(additions.begin(), additions.end(), [name](const auto& added) { return added.first == name; })) {
      variables.emplace_back(text);
    }
  }
  for (const auto& [name, value] : additions) {
    variables.push_back(name + "=" + value);
  }
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

// 0, or errno.
int spawn(const ExecProcess& process, const Pipe& output, const Pipe& complaint, pid_t& child) {
  std::vector<std::string> arguments{process.program};
  arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
  std::vector<std::string> variables = environment_with(process.environment);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.out.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, complaint.out.get(), STDERR_FILENO);
  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigemptyset(&defaults);
  for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) {
    ::sigaddset(&defaults, number);
  }
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int problem = ::posix_spawn(&child, process.program.c_str(), &actions, &attributes, pointers_to(arguments).data(),
                                    pointers_to(variables).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return problem;
}

// Reads what is there. Beyond the limit it is read and thrown away.
void drain(const Descriptor& descriptor, std::string& text, std::size_t limit) {
  std::array<char, 4096> buffer{};
  for (long got = 1; got > 0;) {
    got = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (got > 0 && text.size() < limit) {
      text.append(buffer.data(), std::min(static_cast<std::size_t>(got), limit - text.size()));
    }
  }
}

int reap(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::string fit_for_message(std::string_view text) {
  std::string line;
  std::string word;
  const auto end_word = [&] {
    line += word.size() >= kTokenLength && word.find('/') == std::string::npos ? std::string("***") : word;
    word.clear();
  };
  for (const char c : text.substr(0, kMaxComplaint)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '=') {
      word += c;
      continue;
    }
    end_word();
    if (byte <= 0x20 || byte == 0x7f) {
      line += line.empty() || line.ends_with(' ') ? "" : " ";
    } else {
      line += byte < 0x7f ? c : '?';
    }
  }
  end_word();
  if (line.size() > kMessageLength) {
    line = line.substr(0, kMessageLength) + "...";
  }
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line;
}

Result<ExecOutcome> run_exec_process(const ExecProcess& process, Clock& clock, const StopToken& stop) {
  Pipe output;
  Pipe complaint;
  pid_t child = -1;
  if (!output.open() || !complaint.open()) {
    return fail(Error(ErrorCode::Io, "no pipe can be made to run a program"));
  }
  if (const int problem = spawn(process, output, complaint, child); problem != 0) {
    return fail(Error(ErrorCode::Io, "cannot be run: " + std::generic_category().message(problem)).at(process.program));
  }
  output.out.reset();
  complaint.out.reset();
  const Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  const SteadyTime deadline = clock.steady_now() + process.timeout;
  ExecOutcome outcome;
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock.steady_now());
    const bool late = left.count() <= 0;
    if (late || stop.requested()) {
      ::kill(-child, SIGKILL);
      reap(child);
      return late ? fail(Error(ErrorCode::ApiUnauthorized,
                               "did not end within " + std::to_string(process.timeout.count()) + " ms")
                             .at(process.program))
                  : fail(Error(ErrorCode::Interrupted, "stopped while a program ran").at(process.program));
    }
    pollfd descriptors[4] = {{output.in.get(), POLLIN, 0},
                             {complaint.in.get(), POLLIN, 0},
                             {ended.get(), POLLIN, 0},
                             {stop.descriptor(), POLLIN, 0}};
    // Without a descriptor for the child (an old kernel, a sandbox) its end is looked for now and then.
    const milliseconds::rep longest = ended.get() >= 0 ? 60'000 : 20;
    ::poll(descriptors, 4, static_cast<int>(std::min(left.count(), longest)));
    for (Pipe* pipe : {&output, &complaint}) {
      const bool is_output = pipe == &output;
      drain(pipe->in, is_output ? outcome.output : outcome.complaint, is_output ? process.max_output : kMaxComplaint);
      if ((descriptors[is_output ? 0 : 1].revents & (POLLHUP | POLLERR)) != 0) {
        pipe->in.reset();  // at its end: no longer a reason to wake up
      }
    }
    siginfo_t seen{};
    if (::waitid(P_PID, static_cast<id_t>(child), &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == child) {
      break;
    }
  }
  drain(output.in, outcome.output, process.max_output);
  drain(complaint.in, outcome.complaint, kMaxComplaint);
  outcome.exit_code = reap(child);
  outcome.complaint = fit_for_message(outcome.complaint);
  return outcome;
}

}  // namespace athanor::controller
