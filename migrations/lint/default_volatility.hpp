// Decides whether a default has the same value for every row, so that ADD COLUMN need not rewrite the table.
//
// Threads: pure function.
#pragma once

#include <cstdint>
#include <string>

#include "migrations/lint/known_schema.hpp"

namespace athanor {

struct DefaultVolatility {
  enum class Kind : std::uint8_t {
    Fixed,     // constants, and functions known not to be volatile
    Volatile,  // calls a function known to be volatile
    Unknown,   // calls a function whose definition is not known
  };
  Kind kind = Kind::Fixed;
  std::string function;  // the function that decides
};

[[nodiscard]] DefaultVolatility default_volatility(const TreeNode& expression, const KnownSchema& facts);

}  // namespace athanor
