#include "migrations/plan/plan_reach.hpp"

#include <span>

namespace athanor {
namespace {

constexpr std::size_t kShown = 80;  // bytes of a statement

std::optional<FarStatement> first_of(const PlannedRevision& revision, std::span<const ScriptStep> steps, bool server) {
  for (const ScriptStep& step : steps) {
    for (const SqlStatement& statement : step.statements) {
      const StatementReach reach = reach_of(statement.sql);
      if (reach.outside || (reach.server && server)) {
        return FarStatement{revision.path + ":" + std::to_string(statement.line), sanitise_sql(statement.sql, kShown), reach};
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<FarStatement> first_far_statement(const Plan& plan, ReachOptions options) {
  const bool downgrades = options.downgrades && plan.operation == Direction::Upgrade;
  for (const PlannedRevision& revision : plan.revisions) {
    if (auto found = first_of(revision, revision.steps(), options.server)) {
      return found;
    }
    if (downgrades && revision.script != nullptr) {
      if (auto found = first_of(revision, revision.script->downgrade, options.server)) {
        return found;
      }
    }
  }
  return std::nullopt;
}

}  // namespace athanor
