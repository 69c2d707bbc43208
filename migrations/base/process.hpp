// Running another program: the one place that forks.
//
// Never through a shell. The program gets exactly the arguments, environment and descriptors that the command names. Its
// standard streams are functions of ours, /dev/null, or (for an editor or a hook) our own. By default it leads a process group
// of its own, so that at the deadline, at a stop, or when one of the functions fails, it ends together with all it started:
// SIGTERM first, SIGKILL two seconds later. Such a program is also killed when the thread that started it dies.
//
// The run is over when the program has ended: a grandchild that keeps a pipe open is not waited for.
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

// Fills the buffer and returns how much; 0 is the end.
using ReadBytes = std::function<Result<std::size_t>(std::span<char> buffer)>;
using TakeBytes = std::function<Result<void>(std::string_view bytes)>;

// What the kernel holds a program and all it starts to; 0: what holds us.
struct ProcessLimits {
  std::uint64_t file_bytes = 0;    // of any one file it writes
  std::uint64_t memory_bytes = 0;  // of address space, of each process
  std::uint64_t cpu_seconds = 0;   // of each process
};

struct ProcessCommand {
  std::vector<std::string> arguments;    // [0] is a path, or a name to be found on the PATH of `environment`
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::string folder{};                  // to run in; empty: the current one
  std::vector<int> inherited{};          // open in the program under the same number
  bool own_group = true;                 // false: Ctrl-C at the terminal reaches it as it reaches us
  bool own_streams = true;               // false: it has our standard streams and open descriptors
  bool out_to_err = false;               // with our streams: what it prints must not mix with our results
  Clock* clock = nullptr;                // what `timeout` is measured with; none: no deadline
  milliseconds timeout{0};
  ProcessLimits limits{};                         // and none leaves a core file
  std::size_t most_err = std::size_t{16} << 10U;  // bytes of standard error to keep; the others are thrown away
  ErrorCode cannot_start = ErrorCode::Io;         // of the error when it cannot be started
};

struct ProcessStreams {
  ReadBytes in{};                        // none: /dev/null
  TakeBytes out{};                       // none: /dev/null
  std::function<Result<void>()> tick{};  // called at least four times a second; an error ends the program
};

struct ProcessEnd {
  int exit_code = 0;       // 128 + N when signal N ended it
  std::string err;         // the beginning of standard error, as the program wrote it: not yet safe to publish
  bool timed_out = false;  // the deadline ended it; the exit code is 137
};

// Runs a program to its end. Errors: `cannot_start` with the program's name; Interrupted after a stop; otherwise the error of
// the stream's function that failed.
[[nodiscard]] Result<ProcessEnd> run_process(const ProcessCommand& command, const ProcessStreams& streams,
                                             const StopToken& stop);

// A program that shares our terminal, environment and process group: an editor, a hook.
[[nodiscard]] ProcessCommand foreground_command(std::vector<std::string> arguments);

// A function for `out` that appends to `text`, which must outlive it, until that has `most` bytes. The others are thrown away.
[[nodiscard]] TakeBytes keep_first(std::string& text, std::size_t most);
// A function for `in` that hands over `text`, which must outlive it.
[[nodiscard]] ReadBytes read_from(std::string_view text);

// The environment of this process, with `additions` beside its variables, or in their place.
[[nodiscard]] std::vector<std::string> inherited_environment(
    const std::vector<std::pair<std::string, std::string>>& additions = {});

}  // namespace athanor
