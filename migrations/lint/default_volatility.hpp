// Whether a default's value is the same for every row, so that ADD COLUMN need not write the table.
//
// Threads: pure function.
#pragma once

#include <cstdint>
#include <string>

#include "migrations/lint/known_schema.hpp"

namespace athanor {

struct DefaultVolatility {
  enum class Kind : std::uint8_t {
    Fixed,     // constants, and functions that are known not to be volatile
    Volatile,  // calls a function that is known to be
    Unknown,   // calls a function nobody saw the definition of
  };
  Kind kind = Kind::Fixed;
  std::string function;  // the one that decides
};

[[nodiscard]] DefaultVolatility default_volatility(const TreeNode& expression, const KnownSchema& facts);

}  // namespace athanor
