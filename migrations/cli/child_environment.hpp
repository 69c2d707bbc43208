// What programs that are started inherit.
#pragma once

#include <string>
#include <vector>

namespace athanor::cli {

// "NAME=value", all of them.
[[nodiscard]] std::vector<std::string> whole_environment();

}  // namespace athanor::cli
