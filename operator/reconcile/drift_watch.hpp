// Implements policy.drift: checks whether the schema is still as the last run left it, at an interval and before every run.
//
// Threads: one thread per reconcile.
#pragma once

#include <cstdint>
#include <optional>

#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {

// WhenDue: once per interval, and after a change of the declaration.
enum class DriftCheckTime : std::uint8_t { WhenDue, Now };

// Checks the schema. Returns nullopt when the policy does not require it or it is not due. A schema that cannot be checked is
// Unknown.
[[nodiscard]] std::optional<DriftSeen> check_for_drift(const ReconcileContext& context, DatabaseAccess& access,
                                                       DriftCheckTime when);
// With policy.drift Block: returns why nothing may run. A schema without a recorded catalog does not block, because otherwise
// no first run could start; one that could not be compared does.
[[nodiscard]] std::optional<Verdict> held_by_drift(const DatabaseMigration& resource, const Observed& observed);
// Returns when the next check is due; nullopt when the policy does not require one.
[[nodiscard]] std::optional<milliseconds> next_drift_check(const ReconcileContext& context);
// Converts a check into the content of the condition Drifted.
[[nodiscard]] DriftSeen drift_seen(const Result<DriftCheck>& check);

}  // namespace athanor::controller
