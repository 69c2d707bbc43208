// What lint says of a revision that was just written.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/config/configuration.hpp"

namespace athanor::cli {

// Prints the findings and adds them to the JSON. The file is written by then, so that lint cannot be asked is no failure.
void print_findings(CommandContext& context, const Configuration& configuration, const Project& project,
                    const RevisionDraft& draft);

}  // namespace athanor::cli
