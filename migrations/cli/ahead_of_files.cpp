#include "migrations/cli/ahead_of_files.hpp"

#include <algorithm>
#include <utility>

#include "migrations/cli/revision_listing.hpp"
#include "migrations/graph/target_position.hpp"
#include "migrations/plan/squashed_line.hpp"

namespace athanor::cli {

Result<std::optional<AheadOfFiles>> find_ahead(Migrator& migrator, const RevisionGraph& files,
                                               const std::vector<std::string>& current_heads) {
  AheadOfFiles ahead;
  ahead.heads = unknown_heads(files, current_heads);
  if (ahead.heads.empty()) {
    return std::optional<AheadOfFiles>();
  }
  TRY_ASSIGN(RecordedLineage lineage, migrator.recorded_lineage(files, ahead.heads));
  // Without the parents of every recorded revision, the position relative to the files is unknown.
  if (!lineage.complete()) {
    return std::optional<AheadOfFiles>();
  }
  ahead.revisions = std::move(lineage.revisions);
  for (const RecordedRevision& recorded : ahead.revisions) {
    for (const std::string& parent : recorded.revision.down) {
      if (files.find(parent) != nullptr && std::ranges::find(ahead.above, parent) == ahead.above.end()) {
        ahead.above.push_back(parent);
      }
    }
  }
  return std::optional(std::move(ahead));
}

std::string describe(const AheadOfFiles& ahead) {
  const RecordedRevision& newest = ahead.revisions.front();
  const std::size_t count = ahead.revisions.size();
  return "at " + join_revisions(ahead.heads) + ", which has no revision file; the ledger recorded it (applied " +
         newest.applied_at + " by " + newest.actor + "), " + std::to_string(count) + " revision" + (count == 1 ? "" : "s") +
         " above " + join_revisions(ahead.above);
}

Error ahead_error(const AheadOfFiles& ahead) {
  const std::string target = ahead.above.empty() ? "base" : ahead.above.front();
  return Error(ErrorCode::AheadOfFiles, "the database is ahead of the files: it is " + describe(ahead))
      .advise("check out the commit that has its file; or keep the newer schema: athanor upgrade --accept-ahead " + target +
              "; or downgrade with the SQL recorded in the ledger: athanor downgrade --from-ledger " + target);
}

Result<void> require_known_heads(Migrator& migrator, const RevisionGraph& files,
                                 const std::vector<std::string>& current_heads) {
  TRY_ASSIGN(const auto ahead, find_ahead(migrator, files, current_heads));
  if (ahead) {
    return fail(ahead_error(*ahead));
  }
  return require_known_heads(files, current_heads);
}

Result<void> refuse_squashed_middle(const Project& project, const std::vector<std::string>& current_heads) {
  const auto squashed = find_squashed_line(project.graph, *project.source, unknown_heads(project.graph, current_heads));
  if (!squashed) {
    return {};
  }
  return fail(Error(ErrorCode::UnknownDatabaseRevision, squashed->describe())
                  .advise("upgrade the database to " + squashed->baseline +
                          " with the files from before the squash first; `git log -- " + squashed->path +
                          "` finds the commit"));
}

Result<Project> complete_from_ledger(Project project, std::vector<RecordedRevision> recorded) {
  auto source = std::make_unique<RecordedSource>(std::move(project.source), std::move(recorded));
  TRY_ASSIGN(std::vector<Revision> revisions, source->list());
  TRY_ASSIGN(RevisionGraph graph, RevisionGraph::build(std::move(revisions)));
  return Project{std::move(source), std::move(graph)};
}

}  // namespace athanor::cli
