// Whether a database has a revision: it is a current head, or an ancestor of one, dependencies included.
//
// The ledger says how the heads descend, the files say it where the ledger recorded nothing, and where both are silent the
// answer is that nobody knows. Nobody waits for a revision on a guess.
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
  std::vector<std::string> unrecorded;  // Unknown: what is applied and says nothing of its parents
};

// `lineage` is Migrator::recorded_lineage(files, current_heads). A revision whose downgrade stopped half-way is not applied.
[[nodiscard]] Descent find_applied(const std::string& revision, const Observation& database, const RecordedLineage& lineage,
                                   const RevisionGraph& files);

}  // namespace athanor
