#include "migrations/base/utf8.hpp"

namespace athanor {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::size_t kLongestCharacter = 4;

unsigned char byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

}  // namespace

std::size_t character_length(std::string_view bytes, std::size_t at, bool& cut) {
  const unsigned char lead = byte_at(bytes, at);
  if (lead < 0x80) {
    return 1;
  }
  std::size_t length = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    low = lead == 0xE0 ? 0xA0 : low;
    high = lead == 0xED ? 0x9F : high;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    low = lead == 0xF0 ? 0x90 : low;
    high = lead == 0xF4 ? 0x8F : high;
  } else {
    return 0;
  }
  for (std::size_t index = 1; index < length; ++index) {
    if (at + index >= bytes.size()) {
      cut = true;
      return 0;
    }
    const unsigned char byte = byte_at(bytes, at + index);
    if (byte < low || byte > high) {
      return 0;
    }
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

std::string_view cut_at_character(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  std::size_t end = bytes;
  // At most three bytes back: text that is not UTF-8 may have no boundary at all.
  for (std::size_t back = 1; back < kLongestCharacter && end > 0 && (byte_at(text, end) & 0xC0U) == 0x80U; ++back) {
    --end;
  }
  return text.substr(0, end);
}

std::string well_formed(std::string_view text) {
  std::string whole;
  whole.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    bool cut = false;
    const std::size_t length = character_length(text, at, cut);
    whole += length == 0 ? kReplacement : text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return whole;
}

}  // namespace athanor
