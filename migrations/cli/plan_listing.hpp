// Formats the steps of a walk as JSON and as lines; docs/user-guide.md documents the formats, which are stable.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/output.hpp"
#include "migrations/plan/plan.hpp"

namespace athanor::cli {

// {"direction", "revision", "heads", "operations": [["insert", v] | ["delete", v] | ["update", a, b]]}
[[nodiscard]] Json step_json(const WalkStep& step);
// Like step_json, with "message", "path" and "statements": [{"step", "line", "sql", "destructive"}]. For a half-applied
// revision each statement also has "done"; `half` is null for others.
[[nodiscard]] Json planned_json(const PlannedRevision& revision, const HalfAppliedRevision* half);
// Whether approvals and backups treat the statement as destructive.
[[nodiscard]] bool is_destructive(const SqlStatement& statement);

// "upgrade a -> b, message", "downgrade b -> a, message", "stamp <base> -> b": parents for revisions, rows for stamps.
[[nodiscard]] std::string step_line(const WalkStep& step, const std::vector<std::string>& parents, std::string_view message);
[[nodiscard]] std::string step_line(const PlannedRevision& revision);

}  // namespace athanor::cli
