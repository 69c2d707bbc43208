// policy.drift: is the schema as the last run left it? The database is asked on an interval, and before every run.
//
// Threads: as the reconcile.
#pragma once

#include <cstdint>
#include <optional>

#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// WhenDue: once in an interval, and after a change of the declaration.
enum class DriftLook : std::uint8_t { WhenDue, Now };

// Empty when the policy does not ask for it, or its time has not come. What cannot be looked at is Unknown.
[[nodiscard]] std::optional<DriftSeen> look_for_drift(const ReconcileContext& context, DatabaseAccess& access, DriftLook look);
// Under policy.drift Block: why nothing may run. A schema of which nothing was recorded holds nothing up, or no first run could
// begin; one that could not be compared does.
[[nodiscard]] std::optional<Verdict> held_by_drift(const DatabaseMigration& resource, const Observed& observed);
// When it is to be looked at again; empty when the policy does not ask for it.
[[nodiscard]] std::optional<milliseconds> next_drift_look(const ReconcileContext& context);
// What the condition Drifted says of a check.
[[nodiscard]] DriftSeen drift_seen(const Result<DriftCheck>& check);

}  // namespace athanor::controller
