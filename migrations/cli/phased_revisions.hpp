// `revision --autogenerate --phases expand,contract`: one change as two revisions on two branches.
//
// Expand contains what old application code survives, contract the rest and depends on expand. Both are proven before either is
// written: the first leads to a schema in the middle and back, the second from there to the desired one and back.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/cli/change_planner.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_writer.hpp"

namespace athanor::cli {

// What both revisions are made from.
struct PhasesRequest {
  const std::string& phases;        // the value of the flag
  const RevisionRequest& revision;  // message, heads, labels and dependencies as requested
  const Configuration& configuration;
  const Project& project;
  bool renames = false;  // a rename was requested
};

// Errors: Usage for other phases, a rename, --rev-id or --sql; ProofFailed if the change cannot be split or a proof fails. Then
// nothing is written.
[[nodiscard]] Result<void> write_phases(CommandContext& context, ChangePlanner& planner, CurrentSchema& now,
                                        const schema::Catalog& desired, const PhasesRequest& request);

}  // namespace athanor::cli
