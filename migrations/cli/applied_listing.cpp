#include "migrations/cli/applied_listing.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_listing.hpp"
#include "migrations/execute/migrator.hpp"

namespace athanor::cli {
namespace {

struct Applied {
  Database database;
  std::vector<std::string> current_heads;
  RecordedLineage lineage;
};

Result<Applied> read_applied(CommandContext& context) {
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(Database database, Database::connect(context, configuration));
  TRY_ASSIGN(Observation observation, database.migrator().observe());
  context.output().set_current(observation.current_heads);
  TRY_ASSIGN(const RevisionGraph no_files, RevisionGraph::build({}));
  TRY_ASSIGN(RecordedLineage lineage, database.migrator().recorded_lineage(no_files, observation.current_heads));
  return Applied{std::move(database), std::move(observation.current_heads), std::move(lineage)};
}

// Another client may have written this text; a line feed in it would look like a line of our output.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, ' ');
  return text;
}

Json recorded_json(const RecordedRevision& recorded) {
  const Revision& revision = recorded.revision;
  return {{"revision", revision.id},   {"down_revision", revision.down},       {"depends_on", revision.depends_on},
          {"labels", revision.labels}, {"message", revision.message},          {"applied_at", recorded.applied_at},
          {"actor", recorded.actor},   {"has_text", recorded.text.has_value()}};
}

constexpr std::string_view kNotRecorded =
    "stamped, or applied by another tool or by an earlier version of Athanor, which recorded no lineage";

}  // namespace

Result<void> list_applied(CommandContext& context) {
  TRY_ASSIGN(const Applied applied, read_applied(context));
  Json all = Json::array();
  for (const RecordedRevision& recorded : applied.lineage.revisions) {
    const Revision& revision = recorded.revision;
    all.push_back(recorded_json(recorded));
    const bool current = std::ranges::find(applied.current_heads, revision.id) != applied.current_heads.end();
    context.output().line(on_one_line(parents_text(revision) + " -> " + revision.id + (current ? " (current)" : "") +
                                      (revision.message.empty() ? "" : ", " + revision.message)) +
                          "  " + on_one_line(recorded.applied_at + "  " + recorded.actor));
  }
  for (const std::string& id : applied.lineage.missing) {
    context.output().line(on_one_line(id) + "  not recorded: " + std::string(kNotRecorded));
  }
  context.output().fields()["revisions"] = std::move(all);
  context.output().fields()["not_recorded"] = applied.lineage.missing;
  const std::size_t count = applied.lineage.revisions.size();
  context.output().set_message(std::to_string(count) + (count == 1 ? " revision" : " revisions") + " recorded");
  return {};
}

Result<void> show_applied(CommandContext& context, const std::string& symbol) {
  TRY_ASSIGN(const Applied applied, read_applied(context));
  std::vector<const RecordedRevision*> found;
  for (const RecordedRevision& recorded : applied.lineage.revisions) {
    if (recorded.revision.id == symbol) {
      found = {&recorded};
      break;
    }
    if (recorded.revision.id.starts_with(symbol)) {
      found.push_back(&recorded);
    }
  }
  if (found.size() > 1) {
    return fail(Error(ErrorCode::AmbiguousPrefix, "'" + symbol + "' matches more than one applied revision")
                    .advise("give more characters of the id"));
  }
  if (found.empty()) {
    const bool known =
        std::ranges::any_of(applied.lineage.missing, [&](const std::string& id) { return id.starts_with(symbol); });
    return fail(Error(ErrorCode::UnknownRevision,
                      known ? "the ledger has no record of revision '" + symbol + "': it was " + std::string(kNotRecorded)
                            : "no applied revision in the ledger begins with '" + symbol + "'")
                    .advise("athanor history --applied"));
  }
  const RecordedRevision& recorded = *found.front();
  if (!recorded.text) {
    return fail(Error(ErrorCode::NotRenderable, "the ledger did not keep the SQL of revision " + recorded.revision.id)
                    .advise("ledger.keep_text was off when it was applied"));
  }
  Json fields = recorded_json(recorded);
  fields["text"] = *recorded.text;
  context.output().fields()["revisions"] = Json::array({std::move(fields)});
  context.output().text(*recorded.text);
  context.output().set_message("revision " + recorded.revision.id + ", applied " + recorded.applied_at + " by " +
                               recorded.actor);
  return {};
}

}  // namespace athanor::cli
