// Runs another program: the only code that forks.
//
// Never uses a shell. The program gets exactly the arguments, environment and descriptors that the command lists. Its standard
// streams are callbacks, /dev/null, or (for an editor or a hook) our own. By default the program leads its own process group;
// at a deadline, on a stop request or when a callback fails, the whole group gets SIGTERM, and SIGKILL two seconds later.
// Such a program is also killed when the thread that started it ends.
//
// The run ends with the program itself: a grandchild that keeps a pipe open is not waited for.
//
// Threads: any; blocks the calling thread until the program has ended. Ownership: nothing outlives the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

// Fills the buffer and returns the number of bytes; 0 means end of input.
using ReadBytes = std::function<Result<std::size_t>(std::span<char> buffer)>;
using TakeBytes = std::function<Result<void>(std::string_view bytes)>;

// Resource limits (setrlimit) of the program and everything it starts. 0: keep our own limit.
struct ProcessLimits {
  std::uint64_t file_bytes = 0;    // size of any one file it writes
  std::uint64_t memory_bytes = 0;  // address space of each process
  std::uint64_t cpu_seconds = 0;   // processor time of each process
};

struct ProcessCommand {
  std::vector<std::string> arguments;    // [0] is a path, or a name to search on the PATH of `environment`
  std::vector<std::string> environment;  // "NAME=value"; the complete environment
  std::string folder{};                  // working folder; empty: the current one
  std::vector<int> inherited{};          // descriptors that stay open in the program under the same number
  bool own_group = true;                 // false: Ctrl-C at the terminal also reaches the program
  bool own_streams = true;               // false: it inherits our standard streams and open descriptors
  bool out_to_err = false;  // with inherited streams: send its standard output to standard error, to keep our results clean
  const Clock* clock = nullptr;                   // measures the deadlines; null: the system's
  milliseconds timeout{0};                        // of the whole run; 0: none
  milliseconds idle_timeout{0};                   // for a program that neither reads its input nor writes output; 0: none
  ProcessLimits limits{};                         // core files are always disabled
  std::size_t most_err = std::size_t{16} << 10U;  // bytes of standard error to keep; the rest is discarded
  ErrorCode cannot_start = ErrorCode::Io;         // the error code when the program cannot be started
};

struct ProcessStreams {
  ReadBytes in{};                        // standard input; empty: /dev/null
  TakeBytes out{};                       // standard output; empty: /dev/null
  std::function<Result<void>()> tick{};  // called at least four times a second; an error ends the program
};

struct ProcessEnd {
  int exit_code = 0;       // 128 + N when signal N ended it
  std::string err;         // the beginning of standard error, unsanitised: not safe to publish
  bool timed_out = false;  // a deadline ended it; exit_code is 137
};

// Runs a program until it ends. Errors: `cannot_start` with the program's name; Interrupted on a stop request; otherwise the
// error of the callback that failed.
[[nodiscard]] Result<ProcessEnd> run_process(const ProcessCommand& command, const ProcessStreams& streams,
                                             const StopToken& stop);

// The address space that a program may use when it gets data from outside: `most`, or three quarters of our container's memory
// if that is less. Then the program reports that it is out of memory before the container's limit kills us.
[[nodiscard]] std::uint64_t memory_for_program(std::uint64_t most);
// As memory_for_program(), for a container whose limit this file states (cgroup v2: "536870912" or "max").
[[nodiscard]] std::uint64_t memory_for_program(std::uint64_t most, const std::string& limit_file);

// A command that shares our terminal, environment and process group: for an editor or a hook.
[[nodiscard]] ProcessCommand foreground_command(std::vector<std::string> arguments);

// An `out` callback that appends to `text` until it has `most` bytes and discards the rest. `text` must outlive the callback.
[[nodiscard]] TakeBytes keep_first(std::string& text, std::size_t most);
// An `out` callback that appends to `text`, and fails with `too_much` rather than exceed `most` bytes.
[[nodiscard]] TakeBytes keep_all(std::string& text, std::size_t most, Error too_much);
inline constexpr std::size_t kMostAnswer = std::size_t{256} << 20U;  // for programs that answer with a whole schema
// An `in` callback that supplies `text`, which must outlive it.
[[nodiscard]] ReadBytes read_from(std::string_view text);

// The environment of this process plus `additions`, which replace variables of the same name.
[[nodiscard]] std::vector<std::string> inherited_environment(
    const std::vector<std::pair<std::string, std::string>>& additions = {});

}  // namespace athanor
