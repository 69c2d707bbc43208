// The statements of a plan that reach beyond their database (server_statement.hpp).
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

#include "migrations/plan/plan.hpp"
#include "migrations/plan/server_statement.hpp"

namespace athanor {

struct FarStatement {
  std::string place;  // "a2.sql:7"
  std::string sql;    // shortened, without values
  StatementReach reach;
};

struct ReachOptions {
  bool server = true;       // what changes the server counts, and not only what leaves it
  bool downgrades = false;  // of an upgrade: the downgrades of its revisions count, too
};

// The first such statement, in the order of the plan.
[[nodiscard]] std::optional<FarStatement> first_far_statement(const Plan& plan, ReachOptions options);

}  // namespace athanor
