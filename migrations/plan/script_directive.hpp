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

// Whether a line comment has the form of a directive: "-- athanor:", and is not a note. Its name may still be unknown.
[[nodiscard]] bool is_directive(std::string_view comment);

// `comment` is the line from "--" to its end. Errors have no context: the caller knows file and line.
[[nodiscard]] Result<Directive> parse_directive(std::string_view comment);

}  // namespace athanor
