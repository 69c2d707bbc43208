// A change of direction waits: whatever flips a target back and forth (a self-healing controller, two pipelines) must not run
// DDL back and forth with it. Only a resource whose policy.downgrade is Allow can change direction.
//
// The last change is read from the ledger, with the server's clock: it holds whoever made it, and survives the operator.
//
// Threads: one thread.
#pragma once

#include <optional>

#include "migrations/base/result.hpp"
#include "operator/reconcile/outcome.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// The verdict while a run in this direction must wait; empty: it may begin now.
[[nodiscard]] Result<std::optional<Verdict>> wait_for_direction(const ReconcileContext& context, DatabaseAccess& access,
                                                                Direction direction);

}  // namespace athanor::controller
