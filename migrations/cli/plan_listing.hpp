// Steps of a walk as JSON and as lines; the shapes are documented in docs/user-guide.md and stable.
#pragma once

#include <string>
#include <vector>

#include "migrations/cli/output.hpp"
#include "migrations/plan/plan.hpp"

namespace athanor::cli {

// {"direction", "revision", "heads", "operations": [["insert", v] | ["delete", v] | ["update", a, b]]}
[[nodiscard]] Json step_json(const WalkStep& step);
// As step_json, with "message", "path" and "statements": [{"step", "line", "sql"}].
[[nodiscard]] Json planned_json(const PlannedRevision& revision);

// "upgrade a -> b, message", "stamp <base> -> b".
[[nodiscard]] std::string step_line(const WalkStep& step, std::string_view message);

}  // namespace athanor::cli
