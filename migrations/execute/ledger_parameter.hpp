// Values of the ledger's tables as parameters of a statement.
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

}  // namespace athanor
