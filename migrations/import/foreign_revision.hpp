// Converts a migration of another tool to the text of a revision file.
//
// The SQL stays as written, including comments; comments that would look like directives become notes. What the tool runs in a
// transaction becomes a transactional step; BEGIN and COMMIT around it are removed, because a run has its own. A statement that
// PostgreSQL refuses in a transaction gets an autocommit step, and so does everything in a script that the tool runs without
// one. Anything that a revision must not contain (docs/spec/revision-file.md) is a problem with file and line.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/import/foreign_history.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

struct ForeignRevisionText {
  std::string text;                      // empty if there are problems
  std::vector<ForeignProblem> problems;  // in the upgrade
  std::vector<ForeignProblem> way_back;  // in the downgrade, which therefore became irreversible
  std::vector<std::string> warnings;
};

// `header` contains id, parents, message and path. An `unreadable` revision becomes one whose upgrade fails with that reason.
[[nodiscard]] ForeignRevisionText foreign_revision_text(const ForeignFormat& format, const ForeignRevision& revision,
                                                        const Revision& header);

// The id of a revision file for this version: the version itself if it is a valid id, otherwise a shortened form. Always the
// same for the same version.
[[nodiscard]] std::string foreign_revision_id(std::string_view version);

}  // namespace athanor
