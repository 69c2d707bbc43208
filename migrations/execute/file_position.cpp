#include "migrations/execute/file_position.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string_view>

namespace athanor {
namespace {

// Every batch replaces the placeholder by a condition, which shifts everything after it.
constexpr std::string_view kPlaceholder = "{batch}";

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
}

int lines_in(std::string_view text) {
  return static_cast<int>(std::ranges::count(text, '\n'));
}

// Byte offset of the 1-based character; npos when the text is shorter.
std::size_t offset_of(std::string_view text, int character) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (starts_character(text[at]) && --character == 0) {
      return at;
    }
  }
  return std::string_view::npos;
}

// Offset of the body of a DO block, after the opening dollar quote; npos when the body is not dollar-quoted.
std::size_t body_of(std::string_view sql) {
  const auto open = sql.find('$');
  const auto close = open == std::string_view::npos ? open : sql.find('$', open + 1);
  return close == std::string_view::npos ? close : close + 1;
}

}  // namespace

FilePosition file_position(std::string_view text, const SqlStatement& statement, const Error& error) {
  const std::string_view sql = statement.sql;
  if (error.body_line > 0) {
    const auto body = body_of(sql);
    if (body != std::string_view::npos && error.body_line <= lines_in(sql.substr(body)) + 1) {
      return {statement.line + lines_in(sql.substr(0, body)) + error.body_line - 1, 0};
    }
  }
  const auto at = error.position > 0 ? offset_of(sql, error.position) : std::string_view::npos;
  if (at == std::string_view::npos || at > sql.find(kPlaceholder)) {
    return {statement.line, 0};
  }
  const int line = statement.line + lines_in(sql.substr(0, at));
  // The statement may be in another text. std::less_equal orders unrelated pointers, for which <= is undefined.
  const std::less_equal<const char*> not_behind;
  if (!not_behind(text.data(), sql.data()) || !not_behind(sql.data() + sql.size(), text.data() + text.size())) {
    return {line, 0};
  }
  const std::string_view before = text.substr(0, static_cast<std::size_t>(sql.data() - text.data()) + at);
  const auto line_start = before.rfind('\n');
  const std::string_view in_line = before.substr(line_start == std::string_view::npos ? 0 : line_start + 1);
  return {line, static_cast<int>(std::ranges::count_if(in_line, starts_character)) + 1};
}

std::string describe_position(const std::string& path, const FilePosition& position) {
  return path + ":" + std::to_string(position.line) + (position.column > 0 ? ":" + std::to_string(position.column) : "");
}

}  // namespace athanor
