// A database in the middle of a squashed line: it is at a revision that a baseline of these files stands for (`athanor
// squash`), and not at the last of them. No file knows how to go on from there.
//
// Threads: pure but for reading the source.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/graph/graph.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

struct SquashedLine {
  std::string revision;  // where the database is
  std::string baseline;  // the revision that stands for it
  std::string path;      // of the baseline's file
  // "the database is at revision 1f0a, one of those that the baseline 8c1f (8c1f_baseline.sql) stands for".
  [[nodiscard]] std::string describe() const;
};

// The first of `unknown`, heads that no file has, that a baseline stands for. Reads the files without a parent; one that cannot
// be read is passed over, as whoever needs it says what is wrong with it.
[[nodiscard]] std::optional<SquashedLine> find_squashed_line(const RevisionGraph& graph, const RevisionSource& source,
                                                             const std::vector<std::string>& unknown);

}  // namespace athanor
