#include "migrations/options/flag_help.hpp"

#include <algorithm>

namespace athanor {
namespace {

constexpr std::size_t kWidth = 100;

std::string flag_label(const FlagSpec& flag) {
  std::string label = flag.letter == '\0' ? "    " : std::string{'-', flag.letter} + ", ";
  label += flag.name;
  if (!flag.value.empty()) {
    label += ' ';
    label += flag.value;
  }
  return label;
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t first_column) {
  std::string out;
  std::size_t column = first_column;
  bool fresh = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!fresh && column + 1 + word.size() > kWidth) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      fresh = true;
    }
    if (!fresh) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    fresh = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string flag_lines(std::span<const FlagSpec> flags) {
  constexpr std::size_t kColumn = 32;
  std::string out;
  for (const FlagSpec& flag : flags) {
    std::string line = "  " + flag_label(flag);
    if (line.size() + 2 > kColumn) {
      out += line + "\n";
      line.clear();
    }
    line.resize(kColumn, ' ');
    out += line + wrapped(flag.help, kColumn, kColumn) + "\n";
  }
  return out;
}

}  // namespace athanor
