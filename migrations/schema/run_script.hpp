// Runs the steps of a revision on a scratch database, as the migrator would on a real one: whole transactions, single
// autocommit statements, a batch step as one statement over all keys. There is no version table, ledger or lock.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <span>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

// Error: the server's, with the failed statement's line ("line 14") as context.
[[nodiscard]] Result<void> run_steps(Session& session, std::span<const ScriptStep> steps);
// The same for a plan that is not a file yet. The error has no line.
[[nodiscard]] Result<void> run_planned(Session& session, const std::vector<PlannedStep>& steps);

}  // namespace athanor::schema
