#include "migrations/text/printable.hpp"

#include <cstddef>

#include "migrations/base/utf8.hpp"

namespace athanor {
namespace {

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 2:
      return ((byte(0) & 0x1fU) << 6U) | (byte(1) & 0x3fU);
    case 3:
      return ((byte(0) & 0x0fU) << 12U) | ((byte(1) & 0x3fU) << 6U) | (byte(2) & 0x3fU);
    default:
      return character.size() == 1 ? byte(0) : 0x10000U;
  }
}

// Control characters, line and paragraph separators, and characters that reorder the text around them.
bool is_control(std::uint32_t code) {
  return code < 0x20U || (code >= 0x7fU && code < 0xa0U) || code == 0x061cU || (code >= 0x200eU && code <= 0x200fU) ||
         (code >= 0x2028U && code <= 0x202eU) || (code >= 0x2066U && code <= 0x2069U) || code == 0xfeffU;
}

std::string escaped(std::uint32_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = code < 0x100U ? "\\x" : "\\u";
  for (unsigned shift = code < 0x100U ? 8U : 16U; shift > 0;) {
    shift -= 4U;
    text += kDigits[(code >> shift) & 0xfU];
  }
  return text;
}

}  // namespace

std::string printable(std::string_view text, LineEnds line_ends) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    bool cut = false;
    const std::size_t length = character_length(text, at, cut);
    const std::string_view character = text.substr(at, length == 0 ? 1 : length);
    const bool stays = line_ends == LineEnds::Keep && (character == "\n" || character == "\t");
    const std::uint32_t code = code_point(character);
    safe += length == 0 || (is_control(code) && !stays) ? escaped(code) : std::string(character);
    at += character.size();
  }
  return safe;
}

}  // namespace athanor
