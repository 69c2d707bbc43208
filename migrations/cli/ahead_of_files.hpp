// A database that is ahead of the files: it is at a revision that no file has and that the ledger recorded when it was applied.
// That is what a rollback to an older commit leaves. The ledger knows how the revision descends from the files, and its text.
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
  std::vector<std::string> heads;           // current heads that no file has
  std::vector<RecordedRevision> revisions;  // everything applied that no file has; children before parents
  std::vector<std::string> above;           // the revisions of the files they stand on; empty: from the base
};

// Empty when every current head is in a file, or when the ledger does not know how it descends from the files.
[[nodiscard]] Result<std::optional<AheadOfFiles>> find_ahead(Migrator& migrator, const RevisionGraph& files,
                                                             const std::vector<std::string>& current_heads);

// "at 8c1f0a2b7d3e, which is in no file; the ledger recorded it (applied 2026-11-21T02:10:00+00:00 by alice@laptop), 2
// revisions above 1975ea83b712".
[[nodiscard]] std::string describe(const AheadOfFiles& ahead);
// AheadOfFiles as an error, with the ways out.
[[nodiscard]] Error ahead_error(const AheadOfFiles& ahead);

// As require_known_heads(graph, heads), and AheadOfFiles where the ledger knows more.
[[nodiscard]] Result<void> require_known_heads(Migrator& migrator, const RevisionGraph& files,
                                               const std::vector<std::string>& current_heads);

// UnknownDatabaseRevision when a head is a revision that a baseline of these files stands for, and not the last of them: the
// database is in the middle of a squashed line. Reads the files without a parent, and only when a head is unknown.
[[nodiscard]] Result<void> refuse_squashed_middle(const Project& project, const std::vector<std::string>& current_heads);

// The project with the recorded revisions behind its files. Reads the files again.
[[nodiscard]] Result<Project> complete_from_ledger(Project project, std::vector<RecordedRevision> recorded);

}  // namespace athanor::cli
