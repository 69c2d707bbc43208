// What a stamp does besides, when it takes a database over from another tool (`athanor adopt`).
//
// Threads: plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/session/session.hpp"

namespace athanor {

struct Takeover {
  std::string note;  // for the ledger's row: "adopted from goose"
  // Run first in the stamp's own transaction. One that finds the other tool's history changed fails with kHistoryMoved.
  std::vector<Command> conditions;

  // ln(0): an SQLSTATE that nothing else of the transaction gives.
  static constexpr std::string_view kHistoryMoved = "2201E";
};

}  // namespace athanor
