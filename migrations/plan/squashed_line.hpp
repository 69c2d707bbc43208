// Detects a database in the middle of a squashed line: at a revision that a baseline replaces (`athanor squash`), but not at
// the last one. No file describes how to continue from there.
//
// Threads: pure, except for reading the source.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/graph/graph.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

struct SquashedLine {
  std::string revision;  // the database's revision
  std::string baseline;  // id of the baseline that replaces it
  std::string path;      // of the baseline's file
  // "the database is at revision 1f0a, which was squashed into the baseline 8c1f (8c1f_baseline.sql)".
  [[nodiscard]] std::string describe() const;
};

// Returns the first of `unknown` (heads that are in no file) that a baseline replaces. Reads the files without a parent; skips
// one that cannot be read, whose error is reported where the file is needed.
[[nodiscard]] std::optional<SquashedLine> find_squashed_line(const RevisionGraph& graph, const RevisionSource& source,
                                                             const std::vector<std::string>& unknown);

}  // namespace athanor
