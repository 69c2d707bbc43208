// Parses one "-- athanor:" line.
//
// Threads: plain values, pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/plan/script.hpp"

namespace athanor {

struct Directive {
  enum class Kind : std::uint8_t { Upgrade, Downgrade, Step, Irreversible, Allow, Replaces };
  Kind kind = Kind::Upgrade;
  StepKind step = StepKind::Transaction;
  BatchOptions batch;
  std::string reason;  // of Irreversible and Allow
  std::string rule;    // of Allow
  ReplacedRevision replaced;
};

// Whether a line comment is written as a directive: "-- athanor:", and more than a note. Its name may still be unknown.
[[nodiscard]] bool is_directive(std::string_view comment);

// `comment` from "--" to the end of its line. Errors have no context: the caller knows file and line.
[[nodiscard]] Result<Directive> parse_directive(std::string_view comment);

}  // namespace athanor
