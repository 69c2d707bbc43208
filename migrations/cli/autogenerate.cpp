#include "migrations/cli/autogenerate.hpp"

#include <algorithm>
#include <utility>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/change_planner.hpp"
#include "migrations/cli/draft_findings.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/new_file.hpp"
#include "migrations/cli/phased_revisions.hpp"
#include "migrations/cli/post_write_hook.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_listing.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/cli/schema_report.hpp"
#include "migrations/schema/unspoken.hpp"

namespace athanor::cli {
namespace {

using schema::Catalog;
using schema::Rename;

// One run of the verb.
class Autogenerate {
 public:
  Autogenerate(CommandContext& context, RevisionRequest request, Configuration configuration, Project project,
               int server_version)
      : context_(context),
        request_(std::move(request)),
        configuration_(std::move(configuration)),
        project_(std::move(project)),
        planner_(context, configuration_, project_, server_version) {}

  Result<void> run() {
    TRY_ASSIGN(schema::LoadedSchema desired, planner_.work().desired());
    TRY_ASSIGN(CurrentSchema now, planner_.current());
    warn_unmodelled(context_.output(), desired.catalog);
    TRY(require_same_major(now.catalog, desired.catalog));
    TRY(planner_.work().require_matches({&now.catalog, &desired.catalog}));
    schema::Completed completed = complete_desired(desired.catalog, now.catalog, desired.from_models, planner_.work().grants());
    desired.catalog = std::move(completed.catalog);
    const std::vector<std::string> flags = context_.arguments().values("--rename");
    TRY_ASSIGN(std::vector<Rename> renames,
               print_chosen_renames(output(), now.catalog, desired.catalog, desired.renames, flags));
    if (schema::diff(now.catalog, desired.catalog).empty()) {
      return nothing_to_write(now);
    }
    if (const auto phases = context_.arguments().value("--phases")) {
      return write_phases(context_, planner_, now, desired.catalog,
                          {*phases, request_, configuration_, project_, !renames.empty()});
    }
    TRY_ASSIGN(const SchemaChange change, planner_.plan(now, desired.catalog, std::move(renames)));
    if (context_.arguments().has("--sql")) {
      return print_sql(change);
    }
    TRY_ASSIGN(const RevisionDraft draft, draft_of(change));
    TRY_ASSIGN(const schema::Proof proof, planner_.prove(now, desired.catalog, change, draft));
    return write(change, draft, proof);
  }

 private:
  Output& output() { return context_.output(); }

  Result<void> nothing_to_write(const CurrentSchema& now) {
    output().set_message("no difference: nothing was written");
    output().fields()["revision"] = nullptr;
    output().fields()["path"] = nullptr;
    output().fields()["summary"] = Json::array();
    output().line("No difference between " + now.words + " and " + configuration_.schema.desired.describe() +
                  ": nothing was written.");
    return {};
  }

  Result<void> print_sql(const SchemaChange& change) {
    const NativeBody body = body_of(change);
    report(change);
    output().fields()["sql"] = body.upgrade;
    output().fields()["downgrade_sql"] = body.downgrade;
    output().set_message("SQL printed; nothing was written or proven");
    if (!context_.json()) {
      output().text("-- athanor:upgrade\n" + body.upgrade);
      output().text(body.irreversible.empty() ? "\n-- athanor:downgrade\n" + body.downgrade
                                              : "\n-- athanor:irreversible " + body.irreversible + "\n");
    }
    return {};
  }

  Result<RevisionDraft> draft_of(const SchemaChange& change) {
    request_.body = body_of(change);
    return draft_revision(configuration_, project_.graph, request_, context_.outside().clock->wall_now());
  }

  void report(const SchemaChange& change) {
    print_summary(output(), change.up);
    warn_of_rows(output(), change.up);
    Json json = plan_json(change.up);
    output().fields()["summary"] = std::move(json["summary"]);
    output().fields()["statements"] = std::move(json["statements"]);
  }

  Result<void> write(const SchemaChange& change, const RevisionDraft& draft, const schema::Proof& proof) {
    TRY(write_new_file(draft.revision.path, draft.text));
    report(change);
    if (!proof.tables_without_rows.empty()) {
      output().note("No row could be inserted into " + list_of(proof.tables_without_rows) +
                    ": the proof does not cover its rows.");
    }
    for (const std::string& warning : proof.warnings) {
      output().warn(warning);
    }
    if (!change.irreversible.empty()) {
      output().warn("the revision is irreversible: " + change.irreversible);
    }
    Json& fields = output().fields();
    fields["revision"] = draft.revision.id;
    fields["down_revision"] = draft.revision.down;
    fields["depends_on"] = draft.revision.depends_on;
    fields["labels"] = draft.revision.labels;
    fields["path"] = draft.revision.path;
    fields["proof"] = {{"downgrade", proof.downgrade},
                       {"tables_with_rows", proof.tables_with_rows},
                       {"tables_without_rows", proof.tables_without_rows}};
    output().set_message("wrote " + draft.revision.path);
    output().line(draft.revision.path + ":" + std::to_string(upgrade_line(draft)));
    print_findings(context_, configuration_, project_, draft);
    output().note("Proven on scratch copies: the upgrade leads to the desired schema" +
                  std::string(proof.downgrade ? ", the downgrade back." : "."));
    output().note("Next: review the file, then run `athanor upgrade heads`.");
    return run_hooks(configuration_.post_write_hooks, draft.revision.path);
  }

  static std::string list_of(const std::vector<std::string>& names) {
    constexpr std::size_t kShown = 10;
    std::string text;
    for (std::size_t index = 0; index < std::min(names.size(), kShown); ++index) {
      text += (index == 0 ? "" : ", ") + names[index];
    }
    return names.size() > kShown ? text + " and " + std::to_string(names.size() - kShown) + " more" : text;
  }

  CommandContext& context_;
  RevisionRequest request_;
  Configuration configuration_;
  Project project_;
  ChangePlanner planner_;
};

// Alembic's message: "Target database is not up to date."
Result<void> require_up_to_date(Situation& situation) {
  const auto& heads = situation.observation.current_heads;
  TRY(require_known_heads(situation.database.migrator(), situation.project.graph, heads));
  if (const auto half = half_applied_revision(situation.project, situation.observation.unfinished)) {
    return fail(Error(ErrorCode::NotUpToDate, describe_half_applied(half->parts)).advise(way_on(*half)));
  }
  TRY_ASSIGN(const Walk walk, make_walk(situation.project.graph, Direction::Upgrade, heads, {"heads"}));
  if (walk.steps.empty()) {
    return {};
  }
  std::vector<std::string> pending;
  for (const WalkStep& step : walk.steps) {
    pending.push_back(*step.revision);
  }
  return fail(Error(ErrorCode::NotUpToDate, "the database is not up to date: " + join_revisions(pending) +
                                                (pending.size() == 1 ? " is" : " are") + " pending")
                  .advise("run `athanor upgrade heads` first, then try again"));
}

}  // namespace

Result<void> autogenerate(CommandContext& context, RevisionRequest request) {
  if (!context.arguments().has("--sql")) {
    TRY(check_message(request.message));
  }
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  if (configuration.database_url.empty()) {
    TRY_ASSIGN(Project project, open_project(context, configuration));
    return Autogenerate(context, std::move(request), std::move(configuration), std::move(project), 0).run();
  }
  TRY_ASSIGN(Situation situation, observe_situation(context));
  TRY(require_up_to_date(situation));
  TRY(situation.database.migrator().ask([&](Session& session) { return take_search_path(session, situation.configuration); }));
  return Autogenerate(context, std::move(request), std::move(situation.configuration), std::move(situation.project),
                      situation.observation.server_version)
      .run();
}

}  // namespace athanor::cli
