// Joins two hints into one.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// Returns "hint; more", or `more` alone when `hint` is empty. Trailing full stops and spaces of `hint`, which hints from the
// server have, are removed.
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
