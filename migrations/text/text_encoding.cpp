#include "migrations/text/text_encoding.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "migrations/base/utf8.hpp"

namespace athanor {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

unsigned char byte_at(std::string_view bytes, std::size_t index) {
  return static_cast<unsigned char>(bytes[index]);
}

// True if all eight bytes are ASCII and none is NUL.
bool plain_ascii(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  return ((word | (word - kOnes)) & kHighs) == 0;
}

}  // namespace

std::optional<std::size_t> find_non_text(std::string_view bytes, bool whole) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    // Most files are ASCII: check eight bytes at a time.
    if (at + sizeof(std::uint64_t) <= bytes.size()) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data() + at, sizeof word);
      if (plain_ascii(word)) {
        at += sizeof word;
        continue;
      }
    }
    const unsigned char byte = byte_at(bytes, at);
    if (byte == 0) {
      return at;
    }
    if (byte < 0x80) {
      ++at;
      continue;
    }
    bool cut = false;
    const std::size_t length = character_length(bytes, at, cut);
    if (length == 0) {
      return cut && !whole ? std::nullopt : std::optional(at);
    }
    at += length;
  }
  return std::nullopt;
}

bool holds_control_character(std::string_view utf8) {
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t character = take_character(utf8, at);
    const bool control = (character < 0x20 && character != '\t') || (character >= 0x7f && character <= 0x9f);
    if (control || character == 0x2028 || character == 0x2029) {
      return true;
    }
  }
  return false;
}

Result<void> check_text(std::string_view bytes, std::string_view name, bool whole) {
  const auto fault = find_non_text(bytes, whole);
  if (!fault) {
    return {};
  }
  const auto offset = std::to_string(*fault);
  const auto where = place(name, line_of(bytes, *fault));
  if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
    return fail(Error(ErrorCode::NotUtf8, "the file is UTF-16, not UTF-8").at(where).advise("save the file as UTF-8"));
  }
  if (bytes[*fault] == '\0') {
    return fail(Error(ErrorCode::NotUtf8, "NUL byte at offset " + offset + ": this is not a text file")
                    .at(where)
                    .advise("remove the NUL byte, or save the file as UTF-8 if it is UTF-16"));
  }
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const unsigned char byte = byte_at(bytes, *fault);
  const std::string shown{'0', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
  return fail(Error(ErrorCode::NotUtf8, "byte " + shown + " at offset " + offset + " is not UTF-8")
                  .at(where)
                  .advise("save the file as UTF-8"));
}

std::size_t line_of(std::string_view text, std::size_t offset) {
  const auto before = text.substr(0, offset);
  return 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
}

std::string place(std::string_view name, std::size_t line) {
  return std::string(name) + ':' + std::to_string(line);
}

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

char32_t take_character(std::string_view utf8, std::size_t& at) {
  const unsigned char lead = byte_at(utf8, at);
  bool cut = false;
  const std::size_t length = lead < 0x80 ? 1 : std::max<std::size_t>(character_length(utf8, at, cut), 1);
  char32_t character = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (std::size_t index = 1; index < length; ++index) {
    character = character << 6U | (byte_at(utf8, at + index) & 0x3FU);
  }
  at += length;
  return character;
}

void append_character(char32_t character, std::string& utf8) {
  const auto put = [&utf8](char32_t byte) { utf8 += static_cast<char>(byte); };
  if (character < 0x80) {
    put(character);
  } else if (character < 0x800) {
    put(0xC0U | (character >> 6U));
    put(0x80U | (character & 0x3FU));
  } else if (character < 0x10000) {
    put(0xE0U | (character >> 12U));
    put(0x80U | ((character >> 6U) & 0x3FU));
    put(0x80U | (character & 0x3FU));
  } else {
    put(0xF0U | (character >> 18U));
    put(0x80U | ((character >> 12U) & 0x3FU));
    put(0x80U | ((character >> 6U) & 0x3FU));
    put(0x80U | (character & 0x3FU));
  }
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

std::string_view without_byte_order_mark(std::string_view text) {
  return text.starts_with(kByteOrderMark) ? text.substr(kByteOrderMark.size()) : text;
}

}  // namespace athanor
