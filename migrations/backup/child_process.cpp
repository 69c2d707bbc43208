#include "migrations/backup/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

#include "migrations/backup/descriptor.hpp"

namespace athanor {
namespace {

constexpr std::size_t kMostErr = std::size_t{16} << 10U;
constexpr std::size_t kBuffer = std::size_t{256} << 10U;
constexpr int kTick = 250;
constexpr int kGracePolls = 100;  // of 20 ms: what SIGTERM gets before SIGKILL follows

Error cannot(const std::string& what, int number) {
  return Error(ErrorCode::BackupFailed, what + ": " + std::generic_category().message(number));
}

// The ends of the child's streams; index 0 is ours, 1 the child's.
struct ChildPipes {
  std::array<Descriptor, 2> in;
  std::array<Descriptor, 2> out;
  std::array<Descriptor, 2> err;
  std::array<Descriptor, 2> failure;  // errno of an exec that failed; closed by one that did not
};

Result<void> open_pipe(std::array<Descriptor, 2>& ends) {
  std::array<int, 2> numbers{-1, -1};
  if (::pipe2(numbers.data(), O_CLOEXEC) != 0) {
    return fail(cannot("cannot make a pipe", errno));
  }
  ends[0] = Descriptor(numbers[0]);
  ends[1] = Descriptor(numbers[1]);
  return {};
}

void never_block(int descriptor) {
  ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

Result<ChildPipes> lay_pipes(const ChildStreams& streams) {
  ChildPipes pipes;
  TRY(open_pipe(pipes.err));
  TRY(open_pipe(pipes.failure));
  if (streams.out) {
    TRY(open_pipe(pipes.out));
    never_block(pipes.out[0].get());
  } else {
    pipes.out[1] = Descriptor(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  }
  if (streams.in) {
    // A socket, because writing to one whose reader died can be told not to raise SIGPIPE.
    std::array<int, 2> numbers{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers.data()) != 0) {
      return fail(cannot("cannot make a socket", errno));
    }
    pipes.in[0] = Descriptor(numbers[0]);
    pipes.in[1] = Descriptor(numbers[1]);
    never_block(pipes.in[0].get());
  } else {
    pipes.in[1] = Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  never_block(pipes.err[0].get());
  return pipes;
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

// In the child: only async-signal-safe calls, because other threads may hold any lock.
[[noreturn]] void become(const ChildPipes& pipes, const std::vector<int>& inherited, char* const* arguments,
                         char* const* environment, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) {
    ::_exit(127);  // it died before the line above
  }
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGXFSZ}) {
    (void)::signal(number, SIG_DFL);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(pipes.in[1].get(), STDIN_FILENO);
  ::dup2(pipes.out[1].get(), STDOUT_FILENO);
  ::dup2(pipes.err[1].get(), STDERR_FILENO);
  for (const int descriptor : inherited) {
    ::fcntl(descriptor, F_SETFD, 0);
  }
  ::execve(arguments[0], arguments, environment);
  const int number = errno;
  [[maybe_unused]] const auto written = ::write(pipes.failure[1].get(), &number, sizeof number);
  ::_exit(127);
}

class Child {
 public:
  Child(pid_t process, ChildPipes pipes, const ChildStreams& streams)
      : process_(process), pipes_(std::move(pipes)), streams_(streams), buffer_(kBuffer), pending_(kBuffer) {}
  ~Child() {
    if (!reaped_) {
      end();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<ChildEnd> attend(const StopToken& stop) {
    while (pipes_.out[0].open() || pipes_.err[0].open()) {
      if (stop.requested()) {
        end();
        return fail(Error(ErrorCode::Interrupted, "stopped; the running program was ended"));
      }
      wait_for_something(stop);
      TRY(feed());
      TRY(take());
      keep_err();
      if (streams_.tick) {
        streams_.tick();
      }
    }
    pipes_.in[0].reset();
    int status = 0;
    while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
    return ChildEnd{WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), std::move(err_)};
  }

 private:
  void wait_for_something(const StopToken& stop) {
    std::array<pollfd, 4> set{pollfd{pipes_.in[0].get(), POLLOUT, 0}, pollfd{pipes_.out[0].get(), POLLIN, 0},
                              pollfd{pipes_.err[0].get(), POLLIN, 0}, pollfd{stop.descriptor(), POLLIN, 0}};
    ::poll(set.data(), set.size(), kTick);
  }

  Result<void> feed() {
    while (pipes_.in[0].open()) {
      if (sent_ == filled_) {
        TRY_ASSIGN(filled_, streams_.in(pending_));
        sent_ = 0;
        if (filled_ == 0) {
          pipes_.in[0].reset();
          return {};
        }
      }
      const auto written = ::send(pipes_.in[0].get(), pending_.data() + sent_, filled_ - sent_, MSG_NOSIGNAL);
      if (written < 0 && (errno == EAGAIN || errno == EINTR)) {
        return {};
      }
      if (written < 0) {
        pipes_.in[0].reset();  // it reads no further: its exit code says why
        return {};
      }
      sent_ += static_cast<std::size_t>(written);
    }
    return {};
  }

  // One buffer and no more, so that a fast writer leaves room for the other streams.
  Result<void> take() {
    if (!pipes_.out[0].open()) {
      return {};
    }
    const auto got = ::read(pipes_.out[0].get(), buffer_.data(), buffer_.size());
    if (got > 0) {
      return streams_.out({buffer_.data(), static_cast<std::size_t>(got)});
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      pipes_.out[0].reset();
    }
    return {};
  }

  void keep_err() {
    while (pipes_.err[0].open()) {
      std::array<char, 4096> text;
      const auto got = ::read(pipes_.err[0].get(), text.data(), text.size());
      if (got > 0) {
        const std::size_t room = kMostErr - err_.size();
        err_.append(text.data(), std::min(room, static_cast<std::size_t>(got)));
      } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        pipes_.err[0].reset();
      } else {
        return;
      }
    }
  }

  void end() {
    ::kill(-process_, SIGTERM);
    for (int i = 0; i < kGracePolls && !reaped_; ++i) {
      reaped_ = ::waitpid(process_, nullptr, WNOHANG) == process_;
      if (!reaped_) {
        ::poll(nullptr, 0, 20);
      }
    }
    ::kill(-process_, SIGKILL);  // the group's other members, and a child that does not listen
    while (!reaped_) {
      reaped_ = ::waitpid(process_, nullptr, 0) == process_ || errno == ECHILD;
    }
  }

  pid_t process_;
  ChildPipes pipes_;
  const ChildStreams& streams_;
  std::vector<char> buffer_;
  std::vector<char> pending_;
  std::size_t filled_ = 0;
  std::size_t sent_ = 0;
  std::string err_;
  bool reaped_ = false;
};

}  // namespace

Result<ChildEnd> run_child(const ChildCommand& command, const ChildStreams& streams, const StopToken& stop) {
  if (command.arguments.empty()) {
    return fail(ErrorCode::Internal, "no program was named");
  }
  TRY_ASSIGN(ChildPipes pipes, lay_pipes(streams));
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = command.environment;
  const auto argument_pointers = pointers_to(arguments);
  const auto environment_pointers = pointers_to(environment);
  const pid_t parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) {
    return fail(cannot("cannot start " + arguments.front(), errno));
  }
  if (process == 0) {
    become(pipes, command.inherited, argument_pointers.data(), environment_pointers.data(), parent);
  }
  ::setpgid(process, process);  // both sides do it: whoever is first
  pipes.in[1].reset();
  pipes.out[1].reset();
  pipes.err[1].reset();
  pipes.failure[1].reset();
  int number = 0;
  const Descriptor failure = std::move(pipes.failure[0]);
  const bool failed = ::read(failure.get(), &number, sizeof number) == static_cast<ssize_t>(sizeof number);
  Child child(process, std::move(pipes), streams);
  if (failed) {
    return fail(cannot("cannot run " + arguments.front(), number));
  }
  return child.attend(stop);
}

}  // namespace athanor
