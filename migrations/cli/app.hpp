// The composition root of the command line: the only place that names the real database, folder, clock and environment.
//
// Threads: call run() once, on the main thread.
#pragma once

namespace athanor::cli {

// Runs the program and returns its exit code.
[[nodiscard]] int run(int argc, const char* const* argv);

}  // namespace athanor::cli
