// Builds the entries of a status: plan, error, history, approval, source, each cut to the limits of its field. Times are ISO
// 8601 texts.
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

// Returns the beginning of the hash that an approval names, for messages.
[[nodiscard]] std::string short_hash(const PlanReview& review);
[[nodiscard]] PlanStatus plan_status(const PlanReview& review);
[[nodiscard]] std::vector<BlockerStatus> blocker_status(const std::vector<Blocker>& blockers);
// Requires an outcome with an error.
[[nodiscard]] ErrorStatus error_status(const Outcome& outcome, const std::string& now);
[[nodiscard]] HistoryStatus history_entry(const ExecutionReport& report, Direction direction,
                                          const std::vector<std::string>& from, const std::string& now);
[[nodiscard]] ApprovalStatus approval_status(const Approval& given, const ApprovalTally& tally);
[[nodiscard]] SourceStatus source_status(const DatabaseMigration& resource, const std::string& revision,
                                         std::optional<std::int64_t> files, const std::string& now);
// Whether the status already shows this source, regardless of the time.
[[nodiscard]] bool shows_source(const DatabaseMigrationStatus& status, const SourceStatus& source);
// Sets what was observed of source and database, and how far apart they are.
void set_observed(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Observed& observed,
                  const std::string& now);

// While a run waits for a table lock, its status shows that as last_error.
[[nodiscard]] bool shows_lock_wait(const DatabaseMigrationStatus& status);
void set_lock_error(DatabaseMigrationStatus& status, const RunState& run, const std::string& now);

}  // namespace athanor::controller
