// A child process whose streams pass through us: pg_dump and pg_restore.
//
// Started by fork and exec, never by a shell, in a process group of its own, with exactly the environment and descriptors it is
// given. Its standard input is fed from a function, its standard output goes to a function, its standard error is kept (the
// first part of it). When a stop is requested, or one of the functions fails, the whole group is ended: SIGTERM, then SIGKILL.
// The child is also killed when the thread that started it dies, so a killed Athanor leaves no dump running.
//
// Threads: blocks the calling thread until the child is gone. Ownership: nothing outlives the call.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

// Fills the buffer; 0 is the end.
using ReadBytes = std::function<Result<std::size_t>(std::span<char> buffer)>;
using TakeBytes = std::function<Result<void>(std::string_view bytes)>;

struct ChildCommand {
  std::vector<std::string> arguments;    // [0] is the program's path
  std::vector<std::string> environment;  // "NAME=value", all there is
  std::vector<int> inherited;            // open in the child under the same number
};

struct ChildStreams {
  ReadBytes in;                // none: /dev/null
  TakeBytes out;               // none: /dev/null
  std::function<void()> tick;  // about four times a second
};

struct ChildEnd {
  int exit_code = 0;  // 128 + N when signal N ended it
  std::string err;    // at most 16 KiB, as the program wrote it: not yet safe to publish
};

// Interrupted after a stop; the error of `in` or `out` when one failed; BackupFailed when the program cannot be started.
[[nodiscard]] Result<ChildEnd> run_child(const ChildCommand& command, const ChildStreams& streams, const StopToken& stop);

}  // namespace athanor
