#include "tests/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "tests/support/temp_folder.hpp"

namespace athanor::test {
namespace {

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Pipe {
  int read_end;
  int write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
  }
  return {ends[0], ends[1]};
}

std::vector<std::string> child_environment(const ProcessOptions& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string name(text.substr(0, text.find('=')));
    if (name == "DATABASE_URL" || name.starts_with("PG") || options.environment.contains(name)) {
      continue;
    }
    result.emplace_back(text);
  }
  for (const auto& [name, value] : options.environment) {
    if (value) {
      result.push_back(name + "=" + *value);
    }
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

void close_end(int& descriptor) {
  if (descriptor >= 0) {
    ::close(descriptor);
    descriptor = -1;
  }
}

// Appends the data that is available now; false at the end of the stream.
bool drain(int descriptor, std::string& into) {
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got > 0) {
      into.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (got == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const ProcessOptions& options)
    : input_(options.standard_input), timeout_ms_(options.timeout_ms), started_(now_seconds()) {
  std::vector<std::string> argument_texts = arguments;
  std::vector<std::string> environment_texts = child_environment(options);
  const std::vector<char*> argument_pointers = pointers(argument_texts);
  const std::vector<char*> environment_pointers = pointers(environment_texts);
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  pid_ = ::fork();
  if (pid_ < 0) {
    throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  }
  if (pid_ == 0) {  // between fork and exec only async-signal-safe calls are allowed
    ::dup2(in.read_end, STDIN_FILENO);
    ::dup2(out.write_end, STDOUT_FILENO);
    ::dup2(err.write_end, STDERR_FILENO);
    if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) {
      ::_exit(126);
    }
    ::execvpe(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
    ::_exit(127);
  }
  ::close(in.read_end);
  ::close(out.write_end);
  ::close(err.write_end);
  in_ = in.write_end;
  out_ = out.read_end;
  err_ = err.read_end;
  for (const int descriptor : {in_, out_, err_}) {
    ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  }
  if (input_.empty()) {
    close_end(in_);
  }
}

Process::~Process() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  close_end(in_);
  close_end(out_);
  close_end(err_);
}

void Process::signal(int number) const {
  if (!reaped_) {
    ::kill(pid_, number);
  }
}

bool Process::pump(int timeout_ms) {
  std::array<pollfd, 3> watched{
      {{out_, POLLIN, 0}, {err_, POLLIN, 0}, {in_, POLLOUT, 0}}};  // poll() ignores negative descriptors
  if (out_ < 0 && err_ < 0) {
    return false;
  }
  if (::poll(watched.data(), watched.size(), timeout_ms) <= 0) {
    return true;
  }
  if (watched[0].revents != 0 && !drain(out_, result_.out)) {
    close_end(out_);
  }
  if (watched[1].revents != 0 && !drain(err_, result_.err)) {
    close_end(err_);
  }
  if (in_ >= 0 && watched[2].revents != 0) {
    const ssize_t written = ::write(in_, input_.data(), input_.size());
    if (written > 0) {
      input_.erase(0, static_cast<std::size_t>(written));
    }
    if (input_.empty() || (written < 0 && errno != EAGAIN && errno != EINTR)) {
      close_end(in_);
    }
  }
  return out_ >= 0 || err_ >= 0;
}

bool Process::reap(bool block) {
  if (reaped_) {
    return true;
  }
  int status = 0;
  rusage usage{};
  const pid_t ended = ::wait4(pid_, &status, block ? 0 : WNOHANG, &usage);
  if (ended != pid_) {
    return false;
  }
  reaped_ = true;
  result_.wall_seconds = now_seconds() - started_;
  result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result_.max_rss_kib = usage.ru_maxrss;
  result_.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return true;
}

bool Process::running() {
  return !reap(false);
}

bool Process::wait_for_output(const std::string& text, int timeout_ms) {
  const double deadline = now_seconds() + timeout_ms / 1e3;
  bool open = true;
  while (true) {
    if (result_.out.find(text) != std::string::npos || result_.err.find(text) != std::string::npos) {
      return true;
    }
    if (!open || now_seconds() > deadline) {
      return false;
    }
    open = pump(50);
  }
}

ProcessResult Process::wait() {
  const double deadline = now_seconds() + timeout_ms_ / 1e3;
  // Drain the pipes before waiting: a child that fills one would otherwise never end. Do not wait for the pipes to close: a
  // grandchild may keep them open after the child has ended.
  while (!reap(false)) {
    if (now_seconds() > deadline) {
      result_.timed_out = true;
      ::kill(pid_, SIGKILL);
      reap(true);
      break;
    }
    if (!pump(20)) {
      ::usleep(1'000);  // both pipes are closed: the child is about to end
    }
  }
  if (out_ >= 0) {
    drain(out_, result_.out);
  }
  if (err_ >= 0) {
    drain(err_, result_.err);
  }
  return result_;
}

ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  Process process(arguments, options);
  return process.wait();
}

std::string athanor_binary() {
  return ATHANOR_BINARY_DIR "/bin/athanor";
}

std::string operator_binary() {
  return ATHANOR_BINARY_DIR "/bin/athanor-operator";
}

std::string python_with_alembic() {
  if (const char* named = std::getenv("ATHANOR_PYTHON"); named != nullptr && *named != '\0') {
    return named;
  }
  std::string path;
  try {
    path = read_file(ATHANOR_BINARY_DIR "/python-path");
  } catch (const std::runtime_error&) {
    throw std::runtime_error(
        "no Python with Alembic: run `make test`, which makes one, or set ATHANOR_PYTHON to an interpreter that has the "
        "packages "
        "of tests/requirements.txt");
  }
  while (!path.empty() && path.back() == '\n') {
    path.pop_back();
  }
  return path;
}

}  // namespace athanor::test
