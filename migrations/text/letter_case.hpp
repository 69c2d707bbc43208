// ASCII letters in lower case, whatever the locale. Other bytes, UTF-8 included, stay as they are.
//
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace athanor {

[[nodiscard]] constexpr char lower_ascii(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

[[nodiscard]] inline std::string lowered(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower_ascii);
  return result;
}

}  // namespace athanor
