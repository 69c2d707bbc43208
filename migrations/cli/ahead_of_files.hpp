// A database that is ahead of the files: it is at a revision without a file, which the ledger recorded when it was applied. A
// rollback to an older commit leaves this state. The ledger knows how the revision descends from those in the files, and its
// text.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor::cli {

struct AheadOfFiles {
  std::vector<std::string> heads;           // current heads without a file
  std::vector<RecordedRevision> revisions;  // all applied revisions without a file; children before parents
  std::vector<std::string> above;           // the revisions in the files that they descend from; empty: the base
};

// Empty if every current head has a file, or if the ledger does not know how it descends from the files. Errors are the
// server's.
[[nodiscard]] Result<std::optional<AheadOfFiles>> find_ahead(Migrator& migrator, const RevisionGraph& files,
                                                             const std::vector<std::string>& current_heads);

// "at 8c1f0a2b7d3e, which has no revision file; the ledger recorded it (applied 2026-11-21T02:10:00+00:00 by alice@laptop), 2
// revisions above 1975ea83b712".
[[nodiscard]] std::string describe(const AheadOfFiles& ahead);
// The error AheadOfFiles, with the ways out.
[[nodiscard]] Error ahead_error(const AheadOfFiles& ahead);

// Like require_known_heads(graph, heads), but with the error AheadOfFiles if the ledger knows more.
[[nodiscard]] Result<void> require_known_heads(Migrator& migrator, const RevisionGraph& files,
                                               const std::vector<std::string>& current_heads);

// Error: UnknownDatabaseRevision if a head is a revision that a baseline in the files replaces, but not the last of them: the
// database is in the middle of a squashed line. Only reads files if a head is unknown, and then only those of revisions without
// a parent.
[[nodiscard]] Result<void> refuse_squashed_middle(const Project& project, const std::vector<std::string>& current_heads);

// Adds the recorded revisions to the project's files. Reads the files again.
[[nodiscard]] Result<Project> complete_from_ledger(Project project, std::vector<RecordedRevision> recorded);

}  // namespace athanor::cli
