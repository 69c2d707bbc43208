// What commands say about a half-applied revision: which parts are done, what comes next, and the ways on.
//
// Threads: pure functions of what they are given; reads the revision's file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "migrations/cli/project.hpp"
#include "migrations/execute/half_applied.hpp"

namespace athanor::cli {

struct HalfAppliedRevision {
  HalfApplied parts;
  std::string path;                  // empty: it is in no file
  std::optional<int> changed_line;   // the file differs in what ran already, from this line on; 0: somewhere
  std::vector<std::string> parents;  // of the revision
};

// Nothing when no revision is half-applied. A file that is missing or cannot be read leaves its counts out.
[[nodiscard]] std::optional<HalfAppliedRevision> half_applied_revision(const Project& project,
                                                                       const std::optional<UnfinishedStep>& open);

// "upgrade of q1, 1 of 2 steps done, …; next: versions/q1.sql:11".
[[nodiscard]] std::string half_applied_line(const HalfAppliedRevision& half);
// The ways on: finish it, or undo its traces.
[[nodiscard]] std::string way_on(const HalfAppliedRevision& half);
// Whether this statement of it has run already; both are indexes.
[[nodiscard]] bool is_done(const HalfAppliedRevision& half, std::size_t step, std::size_t statement);
// StepOutcomeUnknown when a revision is half-applied and `walk` does not begin by finishing it: it comes before anything else,
// and "nothing to do" would be as wrong as walking past it.
[[nodiscard]] Result<void> refuse_to_pass(const Project& project, const std::optional<UnfinishedStep>& open, const Walk& walk);
// The field `unfinished`; null when there is none.
[[nodiscard]] Json half_applied_json(const std::optional<HalfAppliedRevision>& half, const std::optional<UnfinishedStep>& open);

}  // namespace athanor::cli
