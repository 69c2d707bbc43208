// Extra conditions and the note of a stamp that takes a database over from another tool (`athanor adopt`).
//
// Threads: plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/session/session.hpp"

namespace athanor {

struct Takeover {
  std::string note;  // stored in the ledger's row: "adopted from goose"
  // Run first in the stamp's transaction. A condition fails with kHistoryMoved when the other tool's history has changed.
  std::vector<Command> conditions;

  // The SQLSTATE of ln(0), which no other command of the transaction raises.
  static constexpr std::string_view kHistoryMoved = "2201E";
};

}  // namespace athanor
