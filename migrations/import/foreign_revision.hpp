// A revision of another tool as the text of a revision file.
//
// The SQL stays as it is written, comments too; comments that a revision file would take for directives become notes. What the
// tool runs in a transaction is one; BEGIN and COMMIT around it go, because the run keeps its own. A statement that PostgreSQL
// refuses in a transaction gets an autocommit step, as does everything of a script that the tool runs without one. Whatever a
// revision may not hold (docs/spec/revision-file.md) is a problem with its file and line.
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
  std::string text;                      // empty when there are problems
  std::vector<ForeignProblem> problems;  // of the upgrade
  std::vector<ForeignProblem> way_back;  // of the downgrade, which became irreversible
  std::vector<std::string> warnings;
};

// `header` has id, parents, message and path. A revision that is `unreadable` becomes one whose upgrade fails with the reason.
[[nodiscard]] ForeignRevisionText foreign_revision_text(const ForeignFormat& format, const ForeignRevision& revision,
                                                        const Revision& header);

// The id of a revision file for this version: the version where it may be one, a shortened form of it otherwise, always the
// same for the same text.
[[nodiscard]] std::string foreign_revision_id(std::string_view version);

}  // namespace athanor
