#include "migrations/cli/adopt_database.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "migrations/cli/baseline.hpp"
#include "migrations/cli/new_file.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/schema/difference.hpp"

namespace athanor::cli {
namespace {

class PlainDatabase {
 public:
  PlainDatabase(CommandContext& context, Configuration configuration)
      : context_(context), configuration_(std::move(configuration)) {
    if (const auto given = context.arguments().value("--output")) {
      configuration_.version_locations = {*given};
    }
  }

  Result<void> run() {
    TRY(open());
    if (!heads_.empty()) {
      return already_there();
    }
    if (project_->graph.size() > 0) {
      return fail(Error(ErrorCode::PolicyRefused, "the project already has revisions; nothing was written")
                      .advise("if the database has the schema of one of them, run `athanor stamp REVISION`, then check with "
                              "`athanor drift`"));
    }
    SchemaWork work(context_, configuration_, version_);
    TRY_ASSIGN(const schema::Catalog catalog, work.live());
    TRY_ASSIGN(const RevisionDraft draft, draft_of(catalog));
    TRY(prove(work, draft, catalog));
    return finish(draft, catalog.facts().size());
  }

 private:
  Output& output() { return context_.output(); }

  Result<void> open() {
    TRY_ASSIGN(database_, Database::connect(context_, configuration_,
                                            make_progress(output(), *context_.outside().clock,
                                                          context_.outside().err_is_terminal, context_.outside().columns)));
    TRY_ASSIGN(const Observation observation, database_->migrator().observe());
    heads_ = observation.current_heads;
    version_ = observation.server_version;
    output().set_current(heads_);
    std::error_code ignored;
    const bool folders_exist = std::ranges::all_of(configuration_.version_locations, [&](const std::string& folder) {
      return std::filesystem::is_directory(folder, ignored);
    });
    auto source = context_.outside().open_source(configuration_);
    std::vector<Revision> revisions;
    if (folders_exist) {
      TRY_ASSIGN(revisions, source->list());
    }
    TRY_ASSIGN(RevisionGraph graph, RevisionGraph::build(std::move(revisions)));
    project_ = Project{std::move(source), std::move(graph)};
    return {};
  }

  Result<void> already_there() {
    TRY(require_known_heads(project_->graph, heads_));
    output().fields()["stamped"] = false;
    output().set_message("the database is already adopted and is at " + join_revisions(heads_));
    output().line("The database is already adopted and is at " + join_revisions(heads_) + ".");
    return {};
  }

  Result<RevisionDraft> draft_of(const schema::Catalog& catalog) {
    RevisionRequest request;
    request.message = context_.arguments().value("--message").value_or("Baseline of the existing schema");
    request.heads = {"base"};
    request.version_path = configuration_.version_locations.front();
    TRY_ASSIGN(RevisionDraft draft,
               draft_revision(configuration_, project_->graph, request, context_.outside().clock->wall_now()));
    TRY_ASSIGN(draft.text, baseline_text(draft.revision, "", catalog, "", "this baseline is the schema from before Athanor"));
    return draft;
  }

  // Without a scratch server the baseline is written without a proof, with a warning: the baseline does not change the database
  // itself.
  Result<void> prove(SchemaWork& work, const RevisionDraft& draft, const schema::Catalog& catalog) {
    auto database = run_baseline(work, draft.revision, draft.text);
    if (!database) {
      if (database.error().code != ErrorCode::ScratchUnavailable) {
        return fail(std::move(database).error());
      }
      output().warn("the baseline could not be proven: " + database.error().message);
      output().fields()["proven"] = false;
      return {};
    }
    TRY_ASSIGN(const schema::Catalog made, work.loader().inspect_scratch(**database));
    if (const auto lines = describe_difference(made, catalog); !lines.empty()) {
      return fail(baseline_differs("the baseline does not create the schema of the database", lines));
    }
    output().fields()["proven"] = true;
    return {};
  }

  Result<void> finish(const RevisionDraft& draft, std::size_t facts) {
    const bool dry = context_.arguments().has("--dry-run");
    Json& fields = output().fields();
    fields["tool"] = "database";
    fields["revision"] = draft.revision.id;
    fields["path"] = draft.revision.path;
    fields["facts"] = facts;
    fields["dry_run"] = dry;
    fields["stamped"] = !dry;
    if (dry) {
      output().set_message("would write " + draft.revision.path + " and stamp the database with it");
      output().text(draft.text);
      return {};
    }
    TRY(write_new_file(draft.revision.path, draft.text));
    TRY_ASSIGN(RevisionGraph graph, RevisionGraph::build({draft.revision}));
    TRY_ASSIGN(const Plan plan, make_plan(graph, *project_->source, Direction::Stamp, {}, {draft.revision.id}));
    // Write the file before stamping: a file without a stamp does no harm, but a database stamped with a missing revision is
    // stuck.
    const Takeover takeover{"adopted as it was found", {}};
    const ExecutionReport report = database_->migrator().adopt(plan, takeover, context_.outside().stop);
    if (!report.ok()) {
      Error error = *report.error;
      error.message += "; the file is written, the database is not stamped";
      return fail(std::move(error));
    }
    output().set_current({draft.revision.id});
    output().set_message("wrote " + draft.revision.path + "; the database is at " + draft.revision.id);
    output().line("wrote " + draft.revision.path);
    output().line("the database is at " + draft.revision.id);
    return {};
  }

  CommandContext& context_;
  Configuration configuration_;
  std::optional<Database> database_;
  std::optional<Project> project_;
  std::vector<std::string> heads_;
  int version_ = 0;
};

}  // namespace

Result<void> adopt_plain_database(CommandContext& context) {
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  return PlainDatabase(context, std::move(configuration)).run();
}

}  // namespace athanor::cli
