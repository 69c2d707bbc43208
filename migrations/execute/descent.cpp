#include "migrations/execute/descent.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>

namespace athanor {
namespace {

// The ancestors of `symbols` (ids or labels) according to the files; symbols in no file are ignored.
std::vector<std::string> below(const std::vector<std::string>& symbols, const RevisionGraph& files) {
  std::vector<std::string> ends;
  for (const std::string& symbol : symbols) {
    if (files.find(symbol) != nullptr) {
      ends.push_back(symbol);
    } else if (auto named = files.resolve(symbol)) {
      std::ranges::move(*named, std::back_inserter(ends));
    }
  }
  auto applied = files.applied(ends);
  return applied ? std::move(*applied) : ends;
}

}  // namespace

Descent find_applied(const std::string& revision, const Observation& database, const RecordedLineage& lineage,
                     const RevisionGraph& files) {
  const auto& unfinished = database.unfinished;
  // Its row is still there, but part of the schema that it created may be gone.
  if (unfinished && unfinished->direction == Direction::Downgrade && unfinished->revision == revision) {
    return {};
  }
  std::unordered_set<std::string> applied(database.current_heads.begin(), database.current_heads.end());
  std::vector<std::string> symbols = database.current_heads;
  for (const RecordedRevision& recorded : lineage.revisions) {
    const Revision& known = recorded.revision;
    applied.insert(known.id);
    // A parent is applied even when the ledger has no row of it. A dependency may be a label, which is not an id.
    applied.insert(known.down.begin(), known.down.end());
    applied.insert(known.depends_on.begin(), known.depends_on.end());
    std::ranges::copy(known.down, std::back_inserter(symbols));
    std::ranges::copy(known.depends_on, std::back_inserter(symbols));
  }
  if (applied.contains(revision)) {
    return {Descent::Answer::Applied, {}};
  }
  const std::vector<std::string> from_files = below(symbols, files);
  if (std::ranges::find(from_files, revision) != from_files.end()) {
    return {Descent::Answer::Applied, {}};
  }
  return lineage.complete() ? Descent{} : Descent{Descent::Answer::Unknown, lineage.missing};
}

}  // namespace athanor
