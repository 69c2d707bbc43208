// Decides whether a database contains a revision: as a current head or as an ancestor of one, dependencies included.
//
// The ledger records the ancestors of the heads; the files are used where the ledger recorded nothing. When neither knows, the
// answer is Unknown and not a guess.
//
// Threads: a pure function and plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrations/execute/observation.hpp"
#include "migrations/execute/recorded_revisions.hpp"
#include "migrations/graph/graph.hpp"

namespace athanor {

struct Descent {
  enum class Answer : std::uint8_t { Applied, NotApplied, Unknown };
  Answer answer = Answer::NotApplied;
  std::vector<std::string> unrecorded;  // Unknown: applied revisions whose parents are not recorded
};

// `lineage` is Migrator::recorded_lineage(files, current_heads). A revision whose downgrade stopped half-way does not count as
// applied.
[[nodiscard]] Descent find_applied(const std::string& revision, const Observation& database, const RecordedLineage& lineage,
                                   const RevisionGraph& files);

}  // namespace athanor
