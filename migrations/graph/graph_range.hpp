// Computes the revisions of a range: everything between the current heads and the end of a walk.
//
// Threads: functions over the immutable graph.
#pragma once

#include "migrations/graph/graph_symbols.hpp"

namespace athanor {

struct RevisionSet {
  Marks members;
  NodeList heads;  // where their order begins
};

struct RangeRules {
  bool inclusive = false;      // include the lower end itself
  bool implicit_base = false;  // include everything that the upper end needs, not only descendants of the lower end
  bool strict = true;          // a relative end past the history is an error
};

// The revisions between two ends, for an upgrade and for `history -r`.
[[nodiscard]] Result<RevisionSet> revisions_between(const Symbols& symbols, const RangeEnd& upper, const RangeEnd& lower,
                                                    RangeRules rules);
// The revisions that a downgrade to `target` takes back. Alembic's warnings are added to `warnings`.
[[nodiscard]] Result<RevisionSet> revisions_to_drop(const Symbols& symbols, const RangeEnd& current, std::string_view target,
                                                    std::vector<std::string>& warnings);

}  // namespace athanor
