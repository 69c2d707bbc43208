// Which revisions a range holds: everything between the current heads and where a walk is to end.
//
// Threads: functions over the immutable graph.
#pragma once

#include "migrations/graph/graph_symbols.hpp"

namespace athanor {

struct RevisionSet {
  Marks members;
  NodeList heads;  // where its order begins
};

struct RangeRules {
  bool inclusive = false;      // with the lower end itself
  bool implicit_base = false;  // with everything the upper end needs, not only what descends from the lower end
  bool strict = true;          // a relative end beyond the history is an error
};

// What lies between two ends; the walk of an upgrade and of `history -r`.
[[nodiscard]] Result<RevisionSet> revisions_between(const Symbols& symbols, const RangeEnd& upper, const RangeEnd& lower,
                                                    RangeRules rules);
// What a downgrade to `target` takes back. `warnings` receives what Alembic warns of.
[[nodiscard]] Result<RevisionSet> revisions_to_drop(const Symbols& symbols, const RangeEnd& current, std::string_view target,
                                                    std::vector<std::string>& warnings);

}  // namespace athanor
