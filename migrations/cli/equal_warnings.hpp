// Combines equal warnings about several files into one line: "REMARK: 30 files (a.py, b.py, c.py and 27 more)".
//
// Threads: pure function.
#pragma once

#include <string>
#include <vector>

namespace athanor::cli {

// Combines `warnings` of the form "FILE.py: REMARK"; others are unchanged. Keeps the order of first occurrences.
[[nodiscard]] std::vector<std::string> folded_warnings(const std::vector<std::string>& warnings);

}  // namespace athanor::cli
