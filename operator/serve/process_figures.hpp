// Figures of this process from /proc, for the process_* metrics.
//
// Threads: safe from any thread.
#pragma once

namespace athanor::controller {

struct ProcessFigures {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double start_time_seconds = 0;  // since the epoch
  double open_files = 0;
  double max_files = 0;
};

// Reads /proc. A figure that cannot be read is 0.
[[nodiscard]] ProcessFigures read_process_figures();

}  // namespace athanor::controller
