// Steps of a walk as JSON and as lines; the shapes are documented in docs/user-guide.md and stable.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/output.hpp"
#include "migrations/plan/plan.hpp"

namespace athanor::cli {

// {"direction", "revision", "heads", "operations": [["insert", v] | ["delete", v] | ["update", a, b]]}
[[nodiscard]] Json step_json(const WalkStep& step);
// As step_json, with "message", "path" and "statements": [{"step", "line", "sql", "destructive"}]. Of a half-applied revision
// each statement also says whether it is "done"; `half` is null for others.
[[nodiscard]] Json planned_json(const PlannedRevision& revision, const HalfAppliedRevision* half);
// Whether the statement is one that approvals and backups count as destructive.
[[nodiscard]] bool is_destructive(const SqlStatement& statement);

// "upgrade a -> b, message", "downgrade b -> a, message", "stamp <base> -> b": parents for revisions, rows for stamps.
[[nodiscard]] std::string step_line(const WalkStep& step, const std::vector<std::string>& parents, std::string_view message);
[[nodiscard]] std::string step_line(const PlannedRevision& revision);

}  // namespace athanor::cli
