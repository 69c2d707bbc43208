#include "migrations/base/ids.hpp"

#include <sys/random.h>

#include <array>
#include <random>
#include <string_view>

namespace athanor {

std::string random_hex(std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(digits);
  while (text.size() < digits) {
    std::array<unsigned char, 32> bytes{};
    // getrandom() fails where a sandbox forbids the call.
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      std::random_device device;
      for (auto& byte : bytes) {
        byte = static_cast<unsigned char>(device());
      }
    }
    for (const unsigned char byte : bytes) {
      if (text.size() < digits) {
        text += kDigits[byte & 15U];
      }
    }
  }
  return text;
}

}  // namespace athanor
