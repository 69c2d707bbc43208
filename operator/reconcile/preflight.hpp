// What must be true before a plan may run: it is approved, a window is open, and there is a backup where the policy asks for
// one.
//
// A backup and the migration lock may be long in coming, and a declaration may be taken back meanwhile: so all but the backup
// is asked once more when they are there.
//
// In this order, because a backup is dear and nobody should wait for an approval with an old one in hand.
//
// Threads: as the reconcile it is a part of.
#pragma once

#include <functional>
#include <optional>

#include "operator/reconcile/reconcile_state.hpp"

namespace athanor::controller {

// The approval of the plan that was found, whether it may run now or not.
void find_approval(const ReconcileContext& given, Findings& found);
// The outcome when the plan that was found may not run now; empty: it may. Takes the backup, unless it would be in vain:
// `dry_run_create` tells what would stop the run at once.
[[nodiscard]] std::optional<Outcome> check_may_run(const ReconcileContext& given, Findings& found,
                                                   const std::function<std::optional<Outcome>()>& dry_run_create = {});
// Whether the plan that was admitted may begin still. StalePlan: look again.
[[nodiscard]] Result<void> may_begin(const ReconcileContext& given, const Findings& found);
[[nodiscard]] DeclarationState declaration_state(const ReconcileContext& given);

}  // namespace athanor::controller
