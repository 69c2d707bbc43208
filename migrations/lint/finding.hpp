// A finding: one danger at one position of a revision or SQL file.
//
// Messages name tables, columns, types and constraints, never values.
//
// Threads: plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace athanor {

enum class Severity : std::uint8_t { Off, Info, Warning, Error };
[[nodiscard]] std::string_view severity_name(Severity severity);  // "off", "info", "warning", "error"
[[nodiscard]] std::optional<Severity> severity_named(std::string_view name);

struct Finding {
  std::string rule;
  Severity severity = Severity::Warning;
  std::string path;
  int line = 1;
  int column = 1;        // 1-based, in characters
  std::string revision;  // empty for a plain SQL file
  std::string table;     // as written in SQL; empty when the finding is not about a table
  std::string message;   // what happens and why it matters: one or two sentences
  std::string fix;       // SQL, or a sentence that says what to do instead; may be empty
};

}  // namespace athanor
