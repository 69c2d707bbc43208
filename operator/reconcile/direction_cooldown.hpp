// Delays a run in the opposite direction of the last one. If something flips a target back and forth (a self-healing
// controller, two pipelines), DDL must not run back and forth with it. Only a resource whose policy.downgrade is Allow can
// change direction.
//
// The last change is read from the ledger, with the server's clock, so it counts no matter who made it and survives restarts of
// the operator.
//
// Threads: one thread per reconcile.
#pragma once

#include <optional>

#include "migrations/base/result.hpp"
#include "operator/reconcile/outcome.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// Returns the verdict while a run in this direction must wait; nullopt when it may start now.
[[nodiscard]] Result<std::optional<Verdict>> wait_for_direction(const ReconcileContext& context, DatabaseAccess& access,
                                                                Direction direction);

}  // namespace athanor::controller
