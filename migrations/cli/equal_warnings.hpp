// Thirty files with the same remark are one line: "REMARK: 30 files (a.py, b.py, c.py and 27 more)".
//
// Threads: pure function.
#pragma once

#include <string>
#include <vector>

namespace athanor::cli {

// `warnings` of the form "FILE.py: REMARK"; any other stays as it is. In the order of the first of each.
[[nodiscard]] std::vector<std::string> folded_warnings(const std::vector<std::string>& warnings);

}  // namespace athanor::cli
