#include "migrations/base/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <system_error>

#include "migrations/base/unique_fd.hpp"

namespace athanor {
namespace {

constexpr std::size_t kBuffer = std::size_t{256} << 10U;
constexpr int kMostLastReads = 4;  // 1 MiB in total, the most a pipe can hold by default (fs.pipe-max-size)
constexpr milliseconds kTick{250};
constexpr milliseconds kPoll{20};      // poll interval where pidfd_open() is not available
constexpr milliseconds kGrace{2'000};  // between SIGTERM and SIGKILL

Error cannot_run(const ProcessCommand& command, int number) {
  return Error(command.cannot_start,
               "cannot run " + command.arguments.front() + ": " + std::generic_category().message(number));
}

struct Ends {
  UniqueFd ours;
  UniqueFd theirs;
};

struct ProcessPipes {
  Ends in, out, err;
  Ends failure;  // carries errno of a failed exec; a successful exec closes it
};

// When one of our own standard streams is closed, a new descriptor gets its number. dup2() of a descriptor onto itself would
// then leave it close-on-exec, and the program would start without that stream.
UniqueFd above_streams(int number) {
  UniqueFd given(number);
  return number >= 0 && number <= STDERR_FILENO ? UniqueFd(::fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1))
                                                : std::move(given);
}

void never_block(const UniqueFd& descriptor) {
  ::fcntl(descriptor.get(), F_SETFL, ::fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

bool open_pipe(Ends& ends) {
  std::array<int, 2> numbers{-1, -1};
  if (::pipe2(numbers.data(), O_CLOEXEC) != 0) {
    return false;
  }
  ends.ours = above_streams(numbers[0]);
  ends.theirs = above_streams(numbers[1]);
  return ends.ours && ends.theirs;
}

// A socket instead of a pipe: send() with MSG_NOSIGNAL avoids SIGPIPE when the program no longer reads.
bool open_socket(Ends& ends) {
  std::array<int, 2> numbers{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers.data()) != 0) {
    return false;
  }
  ends.ours = above_streams(numbers[0]);
  ends.theirs = above_streams(numbers[1]);
  return ends.ours && ends.theirs;
}

bool open_null(Ends& ends, int flags) {
  ends.theirs = above_streams(::open("/dev/null", flags | O_CLOEXEC));
  return static_cast<bool>(ends.theirs);
}

// On false, errno holds the cause.
bool open_pipes(const ProcessCommand& command, const ProcessStreams& streams, ProcessPipes& pipes) {
  if (!open_pipe(pipes.failure)) {
    return false;
  }
  if (!command.own_streams) {
    return true;
  }
  if (!(streams.in ? open_socket(pipes.in) : open_null(pipes.in, O_RDONLY)) ||
      !(streams.out ? open_pipe(pipes.out) : open_null(pipes.out, O_WRONLY)) || !open_pipe(pipes.err)) {
    return false;
  }
  for (const Ends* ends : {&pipes.in, &pipes.out, &pipes.err}) {
    if (ends->ours) {
      never_block(ends->ours);
    }
  }
  return true;
}

// The paths to try, in order: the given path, or the name in each folder of PATH.
std::vector<std::string> candidates(const ProcessCommand& command) {
  const std::string& name = command.arguments.front();
  if (name.find('/') != std::string::npos) {
    return {name};
  }
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string_view variable : command.environment) {
    if (variable.starts_with("PATH=")) {
      path = variable.substr(5);
    }
  }
  std::vector<std::string> found;
  for (std::size_t at = 0; !name.empty() && at <= path.size();) {
    const std::size_t colon = std::min(path.find(':', at), path.size());
    found.push_back((colon > at ? std::string(path.substr(at, colon - at)) : std::string(".")) + "/" + name);
    at = colon + 1;
  }
  return found;
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

// The arguments of exec, prepared before the fork: the child must not allocate memory.
struct ExecArguments {
  explicit ExecArguments(const ProcessCommand& command)
      : texts(command.arguments),
        variables(command.environment),
        paths(candidates(command)),
        argument_pointers(pointers_to(texts)),
        variable_pointers(pointers_to(variables)) {}

  std::vector<std::string> texts;
  std::vector<std::string> variables;
  std::vector<std::string> paths;
  std::vector<char*> argument_pointers;
  std::vector<char*> variable_pointers;
};

void limit(int resource, std::uint64_t most) {
  rlimit limits{};
  if (most != 0 && ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limits) == 0) {
    limits.rlim_cur = std::min<rlim_t>(limits.rlim_cur, most);
    limits.rlim_max = limits.rlim_cur;
    ::setrlimit(static_cast<__rlimit_resource_t>(resource), &limits);
  }
}

void keep_within(const ProcessLimits& limits) {
  constexpr rlimit kNone{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNone);
  limit(RLIMIT_FSIZE, limits.file_bytes);
  limit(RLIMIT_AS, limits.memory_bytes);
  limit(RLIMIT_CPU, limits.cpu_seconds);
}

// Runs in the child. Only async-signal-safe calls are allowed from here on: another thread may have held any lock at the fork.
// Returns errno, or 0.
int set_up(const ProcessCommand& command, const ProcessPipes& pipes, pid_t parent) {
  if (command.own_group) {
    ::setpgid(0, 0);
    // The parent-death signal is not sent for a parent that died before prctl(); hence the check of getppid().
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) {
      ::_exit(127);  // the parent died before prctl()
    }
  }
  keep_within(command.limits);
  // Signal dispositions and the signal mask survive exec; ours must not affect the program.
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGXFSZ}) {
    (void)::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (command.own_streams) {
    ::dup2(pipes.in.theirs.get(), STDIN_FILENO);
    ::dup2(pipes.out.theirs.get(), STDOUT_FILENO);
    ::dup2(pipes.err.theirs.get(), STDERR_FILENO);
    // Libraries open descriptors without close-on-exec. A kernel without this call leaves them open.
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  } else if (command.out_to_err) {
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
  }
  for (const int descriptor : command.inherited) {
    ::fcntl(descriptor, F_SETFD, 0);
  }
  return command.folder.empty() || ::chdir(command.folder.c_str()) == 0 ? 0 : errno;
}

[[noreturn]] void become(const ProcessCommand& command, const ExecArguments& exec, const ProcessPipes& pipes, pid_t parent) {
  int problem = set_up(command, pipes, parent);
  if (problem == 0) {
    problem = ENOENT;
    for (const std::string& path : exec.paths) {
      ::execve(path.c_str(), exec.argument_pointers.data(), exec.variable_pointers.data());
      // Like execvp(): go on along PATH after a missing file, and also after EACCES, but report EACCES when nothing else is
      // found.
      if (errno != ENOENT && errno != ENOTDIR) {
        problem = errno;
      }
      if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
        break;
      }
    }
  }
  [[maybe_unused]] const auto written = ::write(pipes.failure.theirs.get(), &problem, sizeof problem);
  ::_exit(127);
}

class RunningProcess {
 public:
  RunningProcess(pid_t process, const ProcessCommand& command, const ProcessStreams& streams, ProcessPipes pipes)
      : process_(process),
        command_(command),
        streams_(streams),
        in_(std::move(pipes.in.ours)),
        out_(std::move(pipes.out.ours)),
        err_(std::move(pipes.err.ours)),
        ended_(static_cast<int>(::syscall(SYS_pidfd_open, process, 0))) {}
  ~RunningProcess() {
    if (!reaped_) {
      end();
    }
  }
  RunningProcess(const RunningProcess&) = delete;
  RunningProcess& operator=(const RunningProcess&) = delete;

  Result<ProcessEnd> attend(const StopToken& stop) {
    const SteadyTime end_of_run = after(clock_.steady_now(), command_.timeout);
    idle_deadline_ = after(clock_.steady_now(), command_.idle_timeout);
    buffer_.resize(out_ ? kBuffer : 0);
    pending_.resize(in_ ? kBuffer : 0);
    bool over = false;
    while (!over) {
      if (stop.requested()) {
        end();
        return fail(Error(ErrorCode::Interrupted, "stopped; the running program was ended"));
      }
      const SteadyTime deadline = std::min(end_of_run, idle_deadline_);
      if (deadline != SteadyTime::max() && clock_.steady_now() >= deadline) {
        end();
        return ProcessEnd{128 + SIGKILL, std::move(err_text_), true};
      }
      wait_for_something(stop, deadline);
      // Check before reading the pipes: everything the program wrote before it ended is then read below.
      over = has_ended();
      TRY(feed());
      for (int i = 0; i < (over ? kMostLastReads : 1) && out_; ++i) {
        TRY(take());
      }
      keep_err();
      if (streams_.tick) {
        TRY(streams_.tick());
      }
    }
    return ProcessEnd{reap(), std::move(err_text_), false};
  }

  // Waits for the program, which has ended or will end by itself, and returns its exit code.
  int reap() {
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  static SteadyTime after(SteadyTime now, milliseconds duration) {
    return duration.count() == 0 ? SteadyTime::max() : now + duration;
  }

  void wait_for_something(const StopToken& stop, SteadyTime deadline) {
    milliseconds longest = ended_ ? kTick : kPoll;
    if (deadline != SteadyTime::max()) {
      longest = std::min(longest, std::chrono::ceil<milliseconds>(deadline - clock_.steady_now()));
    }
    std::array<pollfd, 5> set{pollfd{in_.get(), POLLOUT, 0}, pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0},
                              pollfd{ended_.get(), POLLIN, 0}, pollfd{stop.descriptor(), POLLIN, 0}};
    ::poll(set.data(), set.size(), static_cast<int>(std::max(longest, milliseconds(0)).count()));
  }

  // WNOWAIT leaves the program a zombie, so that its process id, which is also the group's id, cannot be reused before kill().
  bool has_ended() const {
    siginfo_t seen{};
    return ::waitid(P_PID, static_cast<id_t>(process_), &seen, WEXITED | WNOHANG | WNOWAIT) != 0 || seen.si_pid == process_;
  }

  Result<void> feed() {
    while (in_) {
      if (sent_ == filled_) {
        TRY_ASSIGN(filled_, streams_.in(pending_));
        sent_ = 0;
        if (filled_ == 0) {
          in_.reset();
          return {};
        }
      }
      const auto written = ::send(in_.get(), pending_.data() + sent_, filled_ - sent_, MSG_NOSIGNAL);
      if (written < 0 && (errno == EAGAIN || errno == EINTR)) {
        return {};
      }
      if (written < 0) {
        in_.reset();  // the program stopped reading; its exit code says why
        return {};
      }
      sent_ += static_cast<std::size_t>(written);
      idle_deadline_ = after(clock_.steady_now(), command_.idle_timeout);
    }
    return {};
  }

  // Reads one buffer at most, so that a fast writer does not starve the other streams.
  Result<void> take() {
    const auto got = ::read(out_.get(), buffer_.data(), buffer_.size());
    if (got > 0) {
      idle_deadline_ = after(clock_.steady_now(), command_.idle_timeout);
      return streams_.out({buffer_.data(), static_cast<std::size_t>(got)});
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      out_.reset();
    }
    return {};
  }

  // Bounded as well: a grandchild may write without end.
  void keep_err() {
    std::array<char, 4096> text;
    for (std::size_t read = 0; err_ && read < kBuffer;) {
      const auto got = ::read(err_.get(), text.data(), text.size());
      if (got > 0) {
        const std::size_t room = command_.most_err - err_text_.size();
        err_text_.append(text.data(), std::min(room, static_cast<std::size_t>(got)));
        read += static_cast<std::size_t>(got);
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        err_.reset();
      } else {
        return;
      }
    }
  }

  void end() {
    const pid_t all = command_.own_group ? -process_ : process_;
    ::kill(all, SIGTERM);
    for (milliseconds waited{0}; waited < kGrace && !has_ended(); waited += kPoll) {
      pollfd ended{ended_.get(), POLLIN, 0};
      ::poll(&ended, 1, static_cast<int>(kPoll.count()));
    }
    ::kill(all, SIGKILL);  // for other members of the group, and for a program that ignores SIGTERM
    reap();
  }

  pid_t process_;
  const ProcessCommand& command_;
  const ProcessStreams& streams_;
  const SystemClock system_clock_;
  const Clock& clock_ = command_.clock != nullptr ? *command_.clock : system_clock_;
  SteadyTime idle_deadline_{};
  UniqueFd in_;
  UniqueFd out_;
  UniqueFd err_;
  UniqueFd ended_;  // a pidfd, readable once the program has ended; invalid on old kernels and in some sandboxes
  std::vector<char> buffer_;
  std::vector<char> pending_;
  std::size_t filled_ = 0;
  std::size_t sent_ = 0;
  std::string err_text_;
  bool reaped_ = false;
};

}  // namespace

Result<ProcessEnd> run_process(const ProcessCommand& command, const ProcessStreams& streams, const StopToken& stop) {
  if (command.arguments.empty()) {
    return fail(ErrorCode::Internal, "no program was named");
  }
  ProcessPipes pipes;
  if (!open_pipes(command, streams, pipes)) {
    return fail(cannot_run(command, errno));
  }
  const ExecArguments exec(command);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) {
    return fail(cannot_run(command, errno));
  }
  if (process == 0) {
    become(command, exec, pipes, parent);
  }
  // Parent and child both call setpgid(), so that the group exists whichever runs first.
  if (command.own_group) {
    ::setpgid(process, process);
  }
  for (Ends* ends : {&pipes.in, &pipes.out, &pipes.err, &pipes.failure}) {
    ends->theirs.reset();
  }
  // The read ends when exec closes the child's end of the pipe (0 bytes: started) or with errno of what failed.
  int number = 0;
  const UniqueFd failure = std::move(pipes.failure.ours);
  ssize_t got = -1;
  do {
    got = ::read(failure.get(), &number, sizeof number);
  } while (got < 0 && errno == EINTR);
  RunningProcess running(process, command, streams, std::move(pipes));
  if (got == static_cast<ssize_t>(sizeof number)) {
    running.reap();
    return fail(cannot_run(command, number));
  }
  return running.attend(stop);
}

std::uint64_t memory_for_program(std::uint64_t most, const std::string& limit_file) {
  std::uint64_t limit = 0;
  std::ifstream file(limit_file);
  return file >> limit && limit > 0 ? std::min(most, limit / 4 * 3) : most;
}

std::uint64_t memory_for_program(std::uint64_t most) {
  return memory_for_program(most, "/sys/fs/cgroup/memory.max");
}

ProcessCommand foreground_command(std::vector<std::string> arguments) {
  ProcessCommand command;
  command.arguments = std::move(arguments);
  command.environment = inherited_environment();
  command.own_group = false;
  command.own_streams = false;
  return command;
}

TakeBytes keep_first(std::string& text, std::size_t most) {
  return [&text, most](std::string_view bytes) -> Result<void> {
    text.append(bytes.substr(0, most - std::min(text.size(), most)));
    return {};
  };
}

TakeBytes keep_all(std::string& text, std::size_t most, Error too_much) {
  return [&text, most, too_much = std::move(too_much)](std::string_view bytes) -> Result<void> {
    if (bytes.size() > most - std::min(text.size(), most)) {
      return fail(too_much);
    }
    text.append(bytes);
    return {};
  };
}

ReadBytes read_from(std::string_view text) {
  return [text](std::span<char> buffer) mutable -> Result<std::size_t> {
    const std::size_t count = text.copy(buffer.data(), buffer.size());
    text.remove_prefix(count);
    return count;
  };
}

std::vector<std::string> inherited_environment(const std::vector<std::pair<std::string, std::string>>& additions) {
  std::vector<std::string> variables;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const auto name = text.substr(0, text.find('='));
    if (std::ranges::none_of(additions, [name](const auto& added) { return added.first == name; })) {
      variables.emplace_back(text);
    }
  }
  for (const auto& [name, value] : additions) {
    variables.push_back(name + "=" + value);
  }
  return variables;
}

}  // namespace athanor
