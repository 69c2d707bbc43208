// The entries of a status: plan, error, history, approval, source, each built from what the operator knows and cut to the
// limits of its field. Times are ISO 8601 texts.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/gate.hpp"
#include "operator/reconcile/outcome.hpp"
#include "operator/reconcile/run_status.hpp"

namespace athanor::controller {

// The hash that an approval names, as messages show it.
[[nodiscard]] std::string short_hash(const PlanReview& review);
[[nodiscard]] PlanStatus plan_status(const PlanReview& review);
[[nodiscard]] std::vector<BlockerStatus> blocker_status(const std::vector<Blocker>& blockers);
// The outcome must have an error.
[[nodiscard]] ErrorStatus error_status(const Outcome& outcome, const std::string& now);
[[nodiscard]] HistoryStatus history_entry(const ExecutionReport& report, Direction direction,
                                          const std::vector<std::string>& from, const std::string& now);
[[nodiscard]] ApprovalStatus approval_status(const Approval& given, const ApprovalTally& tally);
[[nodiscard]] SourceStatus source_status(const DatabaseMigration& resource, const std::string& revision,
                                         std::optional<std::int64_t> files, const std::string& now);
// Whether the status has this source already, at whatever time.
[[nodiscard]] bool shows_source(const DatabaseMigrationStatus& status, const SourceStatus& source);
// What was seen of source and database, and how far apart they are.
void set_observed(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Observed& observed,
                  const std::string& now);

// A run that waits for a table's lock shows that as its error for as long as it waits.
[[nodiscard]] bool shows_lock_wait(const DatabaseMigrationStatus& status);
void set_lock_error(DatabaseMigrationStatus& status, const RunState& run, const std::string& now);

}  // namespace athanor::controller
