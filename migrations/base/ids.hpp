// Random identifiers: revision ids (12 hexadecimal digits, as Alembic generates them) and run ids (16).
//
// Threads: safe from any.
#pragma once

#include <cstddef>
#include <string>

namespace athanor {

// Returns `digits` lower-case hexadecimal digits from the kernel's random source.
[[nodiscard]] std::string random_hex(std::size_t digits);
// 12 digits.
[[nodiscard]] inline std::string new_revision_id() {
  return random_hex(12);
}
// 16 digits.
[[nodiscard]] inline std::string new_run_id() {
  return random_hex(16);
}

}  // namespace athanor
