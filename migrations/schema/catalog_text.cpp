#include "migrations/schema/catalog_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace athanor::schema {
namespace {

constexpr std::size_t kLongestName = 63;  // NAMEDATALEN - 1

template <class Number>
Number parsed(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool continues_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// At most `length` bytes, without cutting a character in half.
std::string_view clipped(std::string_view name, std::size_t length) {
  if (length >= name.size()) {
    return name;
  }
  while (length > 0 && continues_character(name[length])) {
    --length;
  }
  return name.substr(0, length);
}

std::string joined(const std::vector<std::string>& values) {
  std::string list = "[";
  for (const auto& value : values) {
    if (list.size() > 1) {
      list += ',';
    }
    list += value;
  }
  return list += ']';
}

}  // namespace

Oid oid_in(std::string_view text) {
  return parsed<Oid>(text);
}

int number_in(std::string_view text) {
  return parsed<int>(text);
}

std::vector<std::string> array_in(std::string_view text) {
  std::vector<std::string> elements;
  if (text.size() < 2 || text.front() != '{') {
    return elements;
  }
  std::string element;
  bool quoted = false;
  bool was_quoted = false;
  bool any = false;
  const auto end_element = [&] {
    elements.push_back(!was_quoted && element == "NULL" ? std::string() : std::move(element));
    element.clear();
    was_quoted = any = false;
  };
  for (std::size_t index = 1; index < text.size(); ++index) {
    const char letter = text[index];
    if (letter == '\\' && index + 1 < text.size()) {
      element += text[++index];
      any = true;
    } else if (letter == '"') {
      quoted = !quoted;
      was_quoted = any = true;
    } else if (!quoted && (letter == ',' || letter == '}')) {
      if (letter == ',' || any) {
        end_element();
      }
      if (letter == '}') {
        break;
      }
      any = true;
    } else {
      element += letter;
      any = true;
    }
  }
  return elements;
}

std::vector<int> numbers_in(std::string_view text) {
  std::vector<int> numbers;
  std::size_t index = 0;
  while (index < text.size()) {
    const std::size_t start = text.find_first_of("-0123456789", index);
    if (start == std::string_view::npos) {
      break;
    }
    const std::size_t end = std::min(text.find_first_not_of("-0123456789", start), text.size());
    numbers.push_back(number_in(text.substr(start, end - start)));
    index = end;
  }
  return numbers;
}

std::string json_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  quoted.reserve(text.size() + 2);
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      quoted += '\\';
      quoted += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      quoted += "\\u00";
      quoted += kHex[static_cast<unsigned char>(letter) >> 4U];
      quoted += kHex[static_cast<unsigned char>(letter) & 0xFU];
    } else {
      quoted += letter;
    }
  }
  return quoted += '"';
}

std::string json_list(const std::vector<std::string>& texts) {
  std::vector<std::string> values;
  values.reserve(texts.size());
  for (const auto& text : texts) {
    values.push_back(json_text(text));
  }
  return joined(values);
}

std::string json_values(const std::vector<std::string>& values) {
  return joined(values);
}

std::string json_name(std::string_view schema, std::string_view name) {
  return "[" + json_text(schema) + "," + json_text(name) + "]";
}

std::string chosen_name(std::string_view table, std::string_view column, std::string_view label) {
  const std::size_t room = kLongestName - label.size() - 1 - (column.empty() ? 0 : 1);
  std::size_t table_length = table.size();
  std::size_t column_length = column.size();
  while (table_length + column_length > room) {
    --(table_length > column_length ? table_length : column_length);
  }
  std::string name(clipped(table, table_length));
  if (!column.empty()) {
    name += '_';
    name += clipped(column, column_length);
  }
  return (name += '_') += label;
}

bool matches_pattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (at < text.size()) {
    if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      star_text = at;
    } else if (in_pattern < pattern.size() && (pattern[in_pattern] == '?' || pattern[in_pattern] == text[at])) {
      ++in_pattern;
      ++at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++star_text;
    } else {
      return false;
    }
  }
  while (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
    ++in_pattern;
  }
  return in_pattern == pattern.size();
}

}  // namespace athanor::schema
