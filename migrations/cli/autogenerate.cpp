#include "migrations/cli/autogenerate.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/draft_findings.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/new_file.hpp"
#include "migrations/cli/post_write_hook.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/revision_listing.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/cli/schema_report.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/revision/revision_template.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/proof.hpp"
#include "migrations/schema/run_script.hpp"
#include "migrations/schema/unspoken.hpp"
#include "migrations/text/line_ends.hpp"

namespace athanor::cli {
namespace {

using schema::Catalog;
using schema::ChangePlan;
using schema::Rename;

constexpr double kAlike = 0.6;  // the similarity from which a possible rename is worth a remark

// The current schema, and a scratch database with it.
struct Now {
  Catalog catalog;
  std::unique_ptr<schema::ScratchDatabase> database;
  std::string words;  // "the revisions", "the database"
};

struct Change {
  ChangePlan up;
  ChangePlan down;
  std::string irreversible;  // why there is no downgrade
  std::vector<Rename> renames;
};

// One run of the verb.
class Autogenerate {
 public:
  Autogenerate(CommandContext& context, RevisionRequest request, Configuration configuration, Project project,
               int server_version)
      : context_(context),
        request_(std::move(request)),
        configuration_(std::move(configuration)),
        project_(std::move(project)),
        work_(context, configuration_, server_version, SchemaWork::Read::GrantsToo) {}

  Result<void> run() {
    TRY_ASSIGN(schema::LoadedSchema desired, work_.desired());
    TRY_ASSIGN(Now now, state_now());
    warn_unmodelled(context_.output(), desired.catalog);
    TRY(require_same_major(now.catalog, desired.catalog));
    TRY(work_.require_matches({&now.catalog, &desired.catalog}));
    schema::Completed completed = complete_desired(desired.catalog, now.catalog, desired.from_models, work_.grants());
    desired.catalog = std::move(completed.catalog);
    const std::vector<std::string> flags = context_.arguments().values("--rename");
    TRY_ASSIGN(std::vector<Rename> renames,
               print_chosen_renames(output(), now.catalog, desired.catalog, desired.renames, flags));
    if (schema::diff(now.catalog, desired.catalog).empty()) {
      return nothing_to_write(now);
    }
    if (const auto phases = context_.arguments().value("--phases")) {
      return write_phases(now, desired.catalog, *phases, renames);
    }
    TRY_ASSIGN(const Change change, plan_change(now, desired.catalog, std::move(renames)));
    if (context_.arguments().has("--sql")) {
      return print_sql(change);
    }
    TRY_ASSIGN(const RevisionDraft draft, draft_of(change));
    TRY_ASSIGN(const schema::Proof proof, prove_draft(now, desired.catalog, change, draft));
    return write(change, draft, proof);
  }

 private:
  Output& output() { return context_.output(); }

  [[nodiscard]] Result<bool> from_database() const {
    const std::string given = context_.arguments().value("--from").value_or("");
    if (!given.empty() && given != "revisions" && given != "database") {
      return fail(Error(ErrorCode::Usage, "--from takes revisions or database, not '" + given + "'"));
    }
    // Python revisions cannot run here; the database contains what they created.
    const bool python = std::ranges::any_of(
        project_.graph.revisions(), [](const Revision& revision) { return revision.format == RevisionFormat::AlembicPython; });
    const bool database = given == "database" || (given.empty() && python);
    if (database && configuration_.database_url.empty()) {
      return fail(Error(ErrorCode::MissingDatabaseUrl, python ? "the project has Python revisions, so the current schema must "
                                                                "come from the database, but no database is configured"
                                                              : "no database is configured")
                      .advise("set DATABASE_URL in the environment, or database_url in athanor.yaml"));
    }
    return database;
  }

  Result<Now> state_now() {
    TRY_ASSIGN(const bool database, from_database());
    Now now;
    now.words = database ? "the database" : "the revisions";
    if (database) {
      TRY_ASSIGN(now.catalog, work_.live());
      return now;
    }
    auto after = work_.after(project_, project_.graph.heads(), &now.database);
    if (!after) {
      Error error = std::move(after).error();
      if (error.hint.empty() && !configuration_.database_url.empty()) {
        error.hint = "start from the live schema instead: --from database";
      }
      return fail(std::move(error));
    }
    now.catalog = std::move(*after);
    return now;
  }

  // Adds the grants of renamed objects to `desired`.
  Result<Change> plan_change(Now& now, Catalog& desired, std::vector<Rename> renames) {
    Change change;
    change.renames = std::move(renames);
    TRY(ask_for_renames(now.catalog, desired, change.renames));
    schema::PlanOptions options;
    TRY_ASSIGN(options.style, style());
    if (!change.renames.empty()) {
      TRY(plan_with_renames(now, desired, options, change));
      return change;
    }
    TRY_ASSIGN(change.up, schema::plan_changes(now.catalog, desired, options));
    TRY(take_down_plan(schema::plan_changes(desired, now.catalog, options), change));
    return change;
  }

  // Plans the downgrade from the schema that the upgrade produces, with the renames reversed. Run the upgrade on a copy for
  // that, because only the server knows the text of definitions after a rename.
  Result<void> plan_with_renames(Now& now, Catalog& desired, schema::PlanOptions options, Change& change) {
    TRY(start_database(now));
    const auto inspect = inspection();
    TRY_ASSIGN(schema::RenamedState there,
               schema::rename_on_copy(work_.server(), *now.database, change.renames, desired, inspect));
    options.renames = there.renames;
    options.new_schemas = there.new_schemas;
    if (work_.grants() == schema::Grants::Stay) {
      desired = complete_desired(desired, there.catalog, false, schema::Grants::Stay).catalog;
    }
    TRY_ASSIGN(change.up, schema::plan_changes(there.catalog, desired, options));
    TRY_ASSIGN(const auto copy, work_.server().create(now.database.get()));
    {
      TRY_ASSIGN(const auto session, copy->open(configuration_.execution.search_path));
      if (auto done = schema::run_planned(*session, change.up.steps); !done) {
        Error error = std::move(done).error();
        error.code = ErrorCode::ProofFailed;
        error.message = "the upgrade fails on a copy of the schema: " + error.message;
        return fail(std::move(error).advise("nothing was written"));
      }
    }
    for (Rename& rename : there.renames) {
      std::swap(rename.from, rename.to);
    }
    TRY_ASSIGN(const schema::RenamedState back,
               schema::rename_on_copy(work_.server(), *copy, there.renames, now.catalog, inspect));
    options.renames = back.renames;
    options.new_schemas = back.new_schemas;
    return take_down_plan(schema::plan_changes(back.catalog, now.catalog, options), change);
  }

  static Result<void> take_down_plan(Result<ChangePlan> down, Change& change) {
    if (down) {
      change.down = std::move(*down);
    } else if (down.error().code == ErrorCode::SchemaChangeRefused) {
      change.irreversible = down.error().message;
    } else {
      return fail(std::move(down).error());
    }
    return {};
  }

  [[nodiscard]] schema::InspectScratch inspection() {
    return [this](const schema::ScratchDatabase& database) { return work_.loader().inspect_scratch(database); };
  }

  [[nodiscard]] Result<schema::Style> style() const {
    const std::string given = context_.arguments().value("--style").value_or("online");
    if (given != "online" && given != "plain") {
      return fail(Error(ErrorCode::Usage, "--style takes online or plain, not '" + given + "'"));
    }
    return given == "plain" ? schema::Style::Plain : schema::Style::Online;
  }

  // Prompts on a terminal; otherwise prints which flag declares the rename.
  Result<void> ask_for_renames(const Catalog& before, const Catalog& after, std::vector<Rename>& renames) {
    const auto concerns = [](const Rename& one, const Rename& other) { return one.from == other.from || one.to == other.to; };
    for (const schema::RenameCandidate& candidate : schema::rename_candidates(before, after)) {
      const bool decided =
          std::ranges::any_of(renames, [&](const Rename& rename) { return concerns(rename, candidate.rename); });
      if (candidate.similarity < kAlike || decided) {
        continue;
      }
      const std::string words = describe(candidate.rename.from) + " and " + describe(candidate.rename.to) + " look alike";
      if (context_.outside().ask && !context_.json()) {
        TRY_ASSIGN(const bool yes, confirmed(words + ". Is it a rename? [y/N] "));
        if (yes) {
          renames.push_back(candidate.rename);
        }
        continue;
      }
      output().warn(words + "; if it is a rename, add --rename " + flag_of(candidate.rename));
    }
    return {};
  }

  Result<bool> confirmed(const std::string& question) {
    const auto answer = context_.outside().ask(question);
    if (!answer) {
      return fail(ErrorCode::Interrupted, "stopped while asking about a rename; nothing was written");
    }
    return *answer == "y" || *answer == "Y" || *answer == "yes";
  }

  static std::string flag_of(const Rename& rename) {
    const auto name = [](const schema::FactId& id) {
      return id.schema + "." + (id.parent.empty() ? "" : id.parent + ".") + id.name;
    };
    return name(rename.from) + "=" + name(rename.to);
  }

  Result<void> nothing_to_write(const Now& now) {
    output().set_message("no difference: nothing was written");
    output().fields()["revision"] = nullptr;
    output().fields()["path"] = nullptr;
    output().fields()["summary"] = Json::array();
    output().line("No difference between " + now.words + " and " + configuration_.schema.desired.describe() +
                  ": nothing was written.");
    return {};
  }

  // If the upgrade removes data, the downgrade says above its first statement that it cannot restore it.
  static NativeBody body_of(const Change& change) {
    NativeBody body;
    body.upgrade = section_text(change.up);
    body.irreversible = change.irreversible;
    if (change.irreversible.empty()) {
      body.downgrade = section_text(change.down);
      if (loses_data(change.up)) {
        body.downgrade = "-- Restores the structure only: the data that the upgrade removed is lost.\n" + body.downgrade;
      }
    }
    return body;
  }

  Result<void> print_sql(const Change& change) {
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

  Result<RevisionDraft> draft_of(const Change& change) {
    request_.body = body_of(change);
    return draft_revision(configuration_, project_.graph, request_, context_.outside().clock->wall_now());
  }

  // One of the two revisions of --phases.
  struct Part {
    std::string phase;  // the label of its branch, too
    Change change;
    std::optional<RevisionDraft> draft;
    schema::Proof proof;
  };

  // Two revisions: what old application code survives, and, depending on it, what it does not. Nothing is written unless both
  // are proven: the first leads to a schema in the middle and back, the second from there to the desired one and back.
  Result<void> write_phases(Now& now, const Catalog& desired, const std::string& phases, const std::vector<Rename>& renames) {
    if (phases != "expand,contract") {
      return fail(Error(ErrorCode::Usage, "--phases takes expand,contract, not '" + phases + "'"));
    }
    if (!renames.empty()) {
      return fail(Error(ErrorCode::Usage, "a rename fits neither phase: old application code knows only the old name")
                      .advise("leave out the rename: expand then adds the new name and contract drops the old one; copy the "
                              "values in a revision between them"));
    }
    if (!request_.id.empty() || context_.arguments().has("--sql")) {
      return fail(Error(ErrorCode::Usage, "--phases writes two revisions and cannot be combined with --rev-id or --sql"));
    }
    for (const schema::RenameCandidate& candidate : schema::rename_candidates(now.catalog, desired)) {
      if (candidate.similarity >= kAlike) {
        output().warn(describe(candidate.rename.from) + " and " + describe(candidate.rename.to) +
                      " look alike: expand creates the new one, contract drops the old one, and neither copies the values");
      }
    }
    TRY(start_database(now));
    Now middle;
    TRY_ASSIGN(middle.database, expanded(now, desired));
    TRY_ASSIGN(middle.catalog, work_.loader().inspect_scratch(*middle.database));
    std::vector<Part> parts;
    TRY(add_part(parts, "expand", now, middle.catalog));
    TRY(add_part(parts, "contract", middle, desired));
    return write_parts(parts);
  }

  // A copy of the schema now on which every statement was run that old application code survives. One that fails there needs
  // something that is in the way first, and so belongs to contract.
  Result<std::unique_ptr<schema::ScratchDatabase>> expanded(const Now& now, const Catalog& desired) {
    schema::PlanOptions options;
    TRY_ASSIGN(options.style, style());
    TRY_ASSIGN(const ChangePlan whole, schema::plan_changes(now.catalog, desired, options));
    TRY_ASSIGN(auto copy, work_.server().create(now.database.get()));
    TRY_ASSIGN(const auto session, copy->open(configuration_.execution.search_path));
    TRY(session->execute_autocommit("SET check_function_bodies = off"));
    std::vector<schema::FactId> left;
    for (const schema::PlannedStep& step : whole.steps) {
      for (const schema::PlannedStatement& statement : step.statements) {
        if (statement.sql.starts_with("SET LOCAL ")) {
          continue;
        }
        // What goes on with an object goes with what began it: SET NOT NULL with the check before it.
        if (!statement.expand || std::ranges::find(left, statement.subject) != left.end()) {
          left.push_back(statement.subject);
          continue;
        }
        const auto done = session->execute_autocommit(statement.sql);
        if (!done && done.error().sqlstate.empty()) {
          return fail(done.error());  // the server, not the statement
        }
      }
    }
    return copy;
  }

  Result<void> add_part(std::vector<Part>& parts, const std::string& phase, Now& from, const Catalog& to) {
    if (schema::diff(from.catalog, to).empty()) {
      return {};
    }
    Part part{phase, {}, {}, {}};
    schema::PlanOptions options;
    TRY_ASSIGN(options.style, style());
    TRY_ASSIGN(part.change.up, schema::plan_changes(from.catalog, to, options));
    TRY(take_down_plan(schema::plan_changes(to, from.catalog, options), part.change));
    if (phase == "expand") {
      TRY(require_survival(part.change.up));
    }
    TRY_ASSIGN(part.draft, draft_part(parts, part));
    TRY_ASSIGN(part.proof, prove_draft(from, to, part.change, *part.draft));
    parts.push_back(std::move(part));
    return {};
  }

  static Result<void> require_survival(const ChangePlan& plan) {
    for (const schema::PlannedStep& step : plan.steps) {
      for (const schema::PlannedStatement& statement : step.statements) {
        if (!statement.expand) {
          return fail(Error(ErrorCode::ProofFailed, "the change of the " + describe(statement.subject) +
                                                        " cannot be split into phases: old application code does not survive " +
                                                        statement.sql.substr(0, statement.sql.find('\n')))
                          .advise("write one revision without --phases, or put this change into a revision of its own"));
        }
      }
    }
    return {};
  }

  // On top of its branch, which the first one opens beside the head: contract must be able to wait while expand goes on.
  Result<RevisionDraft> draft_part(const std::vector<Part>& earlier, const Part& part) {
    std::vector<Revision> revisions = project_.graph.revisions();
    RevisionRequest request = request_;
    request.message += " (" + part.phase + ")";
    const bool opened = std::ranges::any_of(revisions, [&](const Revision& revision) {
      return std::ranges::find(revision.labels, part.phase) != revision.labels.end();
    });
    if (opened) {
      request.heads = {part.phase + "@head"};
    } else {
      request.labels.push_back(part.phase);
      if (request.heads.empty()) {
        request.heads = trunk();
      }
      request.splice = true;
    }
    for (const Part& before : earlier) {
      revisions.push_back(before.draft->revision);
      request.depends_on.push_back(before.draft->revision.id);
    }
    request.body = body_of(part.change);
    TRY_ASSIGN(const RevisionGraph graph, RevisionGraph::build(std::move(revisions)));
    return draft_revision(configuration_, graph, request, context_.outside().clock->wall_now());
  }

  // Where a branch of a phase begins: beside the other one, where that is there already.
  [[nodiscard]] std::vector<std::string> trunk() const {
    for (const Revision& revision : project_.graph.revisions()) {
      if (std::ranges::any_of(revision.labels,
                              [](const std::string& label) { return label == "expand" || label == "contract"; })) {
        return revision.down.empty() ? std::vector<std::string>{"base"} : revision.down;
      }
    }
    return project_.graph.heads();
  }

  Result<void> write_parts(const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      TRY(write_new_file(part.draft->revision.path, part.draft->text));
    }
    Json written = Json::array();
    for (const Part& part : parts) {
      const Revision& revision = part.draft->revision;
      output().line(part.phase == "expand" ? "expand: safe for old application code" : "contract: breaks old application code");
      print_summary(output(), part.change.up);
      warn_of_rows(output(), part.change.up);
      Json json = plan_json(part.change.up);
      written.push_back({{"phase", part.phase},
                         {"revision", revision.id},
                         {"down_revision", revision.down},
                         {"depends_on", revision.depends_on},
                         {"labels", revision.labels},
                         {"path", revision.path},
                         {"summary", std::move(json["summary"])},
                         {"statements", std::move(json["statements"])},
                         {"proof", {{"downgrade", part.proof.downgrade}}}});
      for (const std::string& warning : part.proof.warnings) {
        output().warn(warning);
      }
      if (!part.change.irreversible.empty()) {
        output().warn("the revision is irreversible: " + part.change.irreversible);
      }
      output().line(revision.path + ":" + std::to_string(upgrade_line(part.draft->text)));
      TRY(run_hooks(configuration_.post_write_hooks, revision.path));
    }
    output().fields()["revisions"] = std::move(written);
    output().set_message(parts.size() == 2 ? "wrote two revisions"
                                           : "wrote one revision: every change is " + parts.front().phase);
    if (parts.size() == 1) {
      output().note("There is no second phase: every change is " + parts.front().phase + ".");
    }
    output().note(
        "Proven on scratch copies, up and down. Next: `athanor upgrade expand@head`; once no old application code runs any "
        "more, `athanor upgrade contract@head`.");
    return {};
  }

  Result<schema::Proof> prove_draft(Now& now, const Catalog& desired, const Change& change, const RevisionDraft& draft) {
    auto script = parse_script(draft.revision, with_line_feeds(draft.text));  // parse it as it will be read
    if (!script) {
      Error error = std::move(script).error();
      error.code = ErrorCode::ProofFailed;
      return fail(std::move(error).advise("nothing was written; print the SQL with --sql"));
    }
    TRY(start_database(now));
    const schema::ProofRequest request{.server = work_.server(),
                                       .start = *now.database,
                                       .before = now.catalog,
                                       .after = desired,
                                       .plan = change.up,
                                       .script = *script,
                                       .renames = change.renames,
                                       .search_path = configuration_.execution.search_path,
                                       .inspect = inspection(),
                                       .grants = grants_proven_};
    return schema::prove(request);
  }

  Result<void> start_database(Now& now) {
    if (now.database) {
      return {};
    }
    TRY_ASSIGN(const bool database, from_database());
    if (!database) {
      TRY_ASSIGN(now.database, work_.migrated(project_, project_.graph.heads()));
      return {};
    }
    TRY_ASSIGN(now.database, work_.built(now.catalog));
    TRY_ASSIGN(const Catalog rebuilt, work_.loader().inspect_scratch(*now.database));
    const bool stay = work_.grants() == schema::Grants::Stay;
    if (stay && !describe_difference(rebuilt, now.catalog).empty()) {
      grants_proven_ = schema::ProofRequest::Grants::Ignored;  // its owners, which grants depend on, differ
    }
    const auto lines = stay ? describe_difference(without_grants(rebuilt), without_grants(now.catalog))
                            : describe_difference(rebuilt, now.catalog);
    if (!lines.empty()) {
      return fail(
          Error(ErrorCode::ProofFailed, "the schema of the database cannot be rebuilt for the proof: " + lines.front()));
    }
    return {};
  }

  void report(const Change& change) {
    print_summary(output(), change.up);
    warn_of_rows(output(), change.up);
    Json json = plan_json(change.up);
    output().fields()["summary"] = std::move(json["summary"]);
    output().fields()["statements"] = std::move(json["statements"]);
  }

  Result<void> write(const Change& change, const RevisionDraft& draft, const schema::Proof& proof) {
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
    output().line(draft.revision.path + ":" + std::to_string(upgrade_line(draft.text)));
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

  static int upgrade_line(const std::string& text) {
    const std::size_t at = std::min(text.find("-- athanor:upgrade"), text.size());
    return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  }

  CommandContext& context_;
  RevisionRequest request_;
  Configuration configuration_;
  Project project_;
  SchemaWork work_;
  schema::ProofRequest::Grants grants_proven_ =
      work_.grants() == schema::Grants::Stay ? schema::ProofRequest::Grants::Known : schema::ProofRequest::Grants::Compared;
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
