#include "migrations/plan/squashed_line.hpp"

#include <algorithm>
#include <utility>

#include "migrations/plan/script.hpp"

namespace athanor {

std::string SquashedLine::describe() const {
  return "the database is at revision " + revision + ", which was squashed into the baseline " + baseline + " (" + path + ")";
}

std::optional<SquashedLine> find_squashed_line(const RevisionGraph& graph, const RevisionSource& source,
                                               const std::vector<std::string>& unknown) {
  if (unknown.empty()) {
    return std::nullopt;
  }
  for (const std::string& base : graph.bases()) {
    const Revision& revision = *graph.find(base);
    auto text = source.read(revision);
    const auto script = text ? parse_script(revision, std::move(*text)) : Result<RevisionScript>(fail(text.error()));
    if (!script) {
      continue;
    }
    for (const ReplacedRevision& replaced : script->replaces) {
      if (std::ranges::find(unknown, replaced.id) != unknown.end()) {
        return SquashedLine{replaced.id, base, revision.path};
      }
    }
  }
  return std::nullopt;
}

}  // namespace athanor
