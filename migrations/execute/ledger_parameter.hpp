// Converts values of the ledger's tables to statement parameters.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/session/session.hpp"

namespace athanor {

[[nodiscard]] inline Parameter text_parameter(std::string_view value) {
  return std::string(value);
}
// NULL for an empty text.
[[nodiscard]] inline Parameter nullable_parameter(std::string_view value) {
  return value.empty() ? Parameter{} : Parameter{std::string(value)};
}
// As bytes, because the encoding of the database may lack a character of the file's comments, and that must not fail a
// migration.
[[nodiscard]] inline std::string bytea_literal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "\\x";
  text.reserve(2 + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

}  // namespace athanor
