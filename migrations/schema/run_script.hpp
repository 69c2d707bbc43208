// Runs the steps of a revision on a scratch database, as the migrator would run them on a real one: transactions whole,
// autocommit statements alone, a batch step as one statement over all keys. There is no version table, no ledger and no lock.
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

// The error's context is "line 14", of the statement that failed.
[[nodiscard]] Result<void> run_steps(Session& session, std::span<const ScriptStep> steps);
// The same of a plan that is no file yet.
[[nodiscard]] Result<void> run_planned(Session& session, const std::vector<PlannedStep>& steps);

}  // namespace athanor::schema
