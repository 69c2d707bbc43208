// Hints of several parts.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// "hint; more". A hint of the server's ends in a full stop, which goes.
[[nodiscard]] inline std::string join_advice(std::string hint, std::string_view more) {
  while (hint.ends_with('.') || hint.ends_with(' ')) {
    hint.pop_back();
  }
  if (!hint.empty()) {
    hint += "; ";
  }
  return hint.append(more);
}

}  // namespace athanor
