#include "migrations/text/foreign_message.hpp"

#include <cctype>

namespace athanor {
namespace {

constexpr std::size_t kMostRead = 4096;
constexpr std::size_t kMessageLength = 300;
constexpr std::size_t kTokenLength = 32;

}  // namespace

std::string fit_for_message(std::string_view text) {
  std::string line;
  std::string word;
  const auto end_word = [&] {
    line += word.size() >= kTokenLength && word.find('/') == std::string::npos ? std::string("***") : word;
    word.clear();
  };
  for (const char c : text.substr(0, kMostRead)) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '=') {
      word += c;
      continue;
    }
    end_word();
    if (byte <= 0x20 || byte == 0x7f) {
      line += line.empty() || line.ends_with(' ') ? "" : " ";
    } else {
      line += byte < 0x7f ? c : '?';
    }
  }
  end_word();
  if (line.size() > kMessageLength) {
    line = line.substr(0, kMessageLength) + "...";
  }
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line;
}

}  // namespace athanor
