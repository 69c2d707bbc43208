// What commands report about a half-applied revision: which parts are done, what comes next, and how to continue.
//
// Threads: functions without shared state; they may read the revision's file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "migrations/cli/project.hpp"
#include "migrations/execute/half_applied.hpp"

namespace athanor::cli {

struct HalfAppliedRevision {
  HalfApplied parts;
  std::string path;                  // empty: the revision has no file
  std::optional<int> changed_line;   // the first line where the file differs from what was already run; 0: unknown line
  std::vector<std::string> parents;  // the revision's parents
};

// Empty if no revision is half-applied. Without a readable file, counts are omitted.
[[nodiscard]] std::optional<HalfAppliedRevision> half_applied_revision(const Project& project,
                                                                       const std::optional<UnfinishedStep>& open);

// "upgrade of q1, 1 of 2 steps done, …; next: versions/q1.sql:11".
[[nodiscard]] std::string half_applied_line(const HalfAppliedRevision& half);
// How to continue: finish the revision, or undo its traces.
[[nodiscard]] std::string way_on(const HalfAppliedRevision& half);
// Whether this statement of the revision has already run; both arguments are indexes.
[[nodiscard]] bool is_done(const HalfAppliedRevision& half, std::size_t step, std::size_t statement);
// Error: StepOutcomeUnknown if a revision is half-applied and `walk` does not begin by finishing it. It must be finished first,
// and "nothing to do" would also be wrong.
[[nodiscard]] Result<void> refuse_to_pass(const Project& project, const std::optional<UnfinishedStep>& open, const Walk& walk);
// The JSON field `unfinished`; null if there is none.
[[nodiscard]] Json half_applied_json(const std::optional<HalfAppliedRevision>& half, const std::optional<UnfinishedStep>& open);

}  // namespace athanor::cli
