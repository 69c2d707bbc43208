#include "migrations/cli/change_planner.hpp"

#include <algorithm>
#include <utility>

#include "migrations/cli/schema_report.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/schema/run_script.hpp"
#include "migrations/text/line_ends.hpp"

namespace athanor::cli {

using schema::Catalog;
using schema::ChangePlan;
using schema::Rename;

namespace {

std::string flag_of(const Rename& rename) {
  const auto name = [](const schema::FactId& id) {
    return id.schema + "." + (id.parent.empty() ? "" : id.parent + ".") + id.name;
  };
  return name(rename.from) + "=" + name(rename.to);
}

Result<bool> confirmed(CommandContext& context, const std::string& question) {
  const auto answer = context.outside().ask(question);
  if (!answer) {
    return fail(ErrorCode::Interrupted, "stopped while asking about a rename; nothing was written");
  }
  return *answer == "y" || *answer == "Y" || *answer == "yes";
}

// Prompts on a terminal; otherwise prints which flag declares the rename.
Result<void> ask_for_renames(CommandContext& context, const Catalog& before, const Catalog& after,
                             std::vector<Rename>& renames) {
  const auto concerns = [](const Rename& one, const Rename& other) { return one.from == other.from || one.to == other.to; };
  for (const schema::RenameCandidate& candidate : likely_renames(before, after)) {
    const bool decided = std::ranges::any_of(renames, [&](const Rename& rename) { return concerns(rename, candidate.rename); });
    if (decided) {
      continue;
    }
    const std::string words = describe(candidate.rename.from) + " and " + describe(candidate.rename.to) + " look alike";
    if (context.outside().ask && !context.json()) {
      TRY_ASSIGN(const bool yes, confirmed(context, words + ". Is it a rename? [y/N] "));
      if (yes) {
        renames.push_back(candidate.rename);
      }
      continue;
    }
    context.output().warn(words + "; if it is a rename, add --rename " + flag_of(candidate.rename));
  }
  return {};
}

Result<void> take_down_plan(Result<ChangePlan> down, SchemaChange& change) {
  if (down) {
    change.down = std::move(*down);
  } else if (down.error().code == ErrorCode::SchemaChangeRefused) {
    change.irreversible = down.error().message;
  } else {
    return fail(std::move(down).error());
  }
  return {};
}

}  // namespace

ChangePlanner::ChangePlanner(CommandContext& context, const Configuration& configuration, const Project& project,
                             int server_version)
    : context_(context),
      configuration_(configuration),
      project_(project),
      work_(context, configuration_, server_version, SchemaWork::Read::GrantsToo),
      grants_proven_(work_.grants() == schema::Grants::Stay ? schema::ProofRequest::Grants::Known
                                                            : schema::ProofRequest::Grants::Compared) {}

Result<bool> ChangePlanner::from_database() const {
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

Result<CurrentSchema> ChangePlanner::current() {
  TRY_ASSIGN(const bool database, from_database());
  CurrentSchema now;
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

Result<void> ChangePlanner::start(CurrentSchema& now) {
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
    return fail(Error(ErrorCode::ProofFailed, "the schema of the database cannot be rebuilt for the proof: " + lines.front()));
  }
  return {};
}

Result<schema::Style> ChangePlanner::style() const {
  const std::string given = context_.arguments().value("--style").value_or("online");
  if (given != "online" && given != "plain") {
    return fail(Error(ErrorCode::Usage, "--style takes online or plain, not '" + given + "'"));
  }
  return given == "plain" ? schema::Style::Plain : schema::Style::Online;
}

Result<SchemaChange> ChangePlanner::plan(CurrentSchema& now, Catalog& desired, std::vector<Rename> renames) {
  TRY(ask_for_renames(context_, now.catalog, desired, renames));
  if (renames.empty()) {
    return plan(now.catalog, desired);
  }
  SchemaChange change;
  change.renames = std::move(renames);
  TRY(plan_with_renames(now, desired, change));
  return change;
}

Result<SchemaChange> ChangePlanner::plan(const Catalog& before, const Catalog& after) const {
  SchemaChange change;
  schema::PlanOptions options;
  TRY_ASSIGN(options.style, style());
  TRY_ASSIGN(change.up, schema::plan_changes(before, after, options));
  TRY(take_down_plan(schema::plan_changes(after, before, options), change));
  return change;
}

// Plans the downgrade from the schema that the upgrade produces, with the renames reversed. Run the upgrade on a copy for
// that, because only the server knows the text of definitions after a rename.
Result<void> ChangePlanner::plan_with_renames(CurrentSchema& now, Catalog& desired, SchemaChange& change) {
  schema::PlanOptions options;
  TRY_ASSIGN(options.style, style());
  TRY(start(now));
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

schema::InspectScratch ChangePlanner::inspection() {
  return [this](const schema::ScratchDatabase& database) { return work_.loader().inspect_scratch(database); };
}

Result<schema::Proof> ChangePlanner::prove(CurrentSchema& now, const Catalog& desired, const SchemaChange& change,
                                           const RevisionDraft& draft) {
  auto script = parse_script(draft.revision, with_line_feeds(draft.text));  // parse it as it will be read
  if (!script) {
    Error error = std::move(script).error();
    error.code = ErrorCode::ProofFailed;
    return fail(std::move(error).advise("nothing was written; print the SQL with --sql"));
  }
  TRY(start(now));
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

std::vector<schema::RenameCandidate> likely_renames(const Catalog& before, const Catalog& after) {
  constexpr double kAlike = 0.6;  // the similarity from which a possible rename is worth a remark
  std::vector<schema::RenameCandidate> candidates = schema::rename_candidates(before, after);
  std::erase_if(candidates, [&](const schema::RenameCandidate& candidate) { return candidate.similarity < kAlike; });
  return candidates;
}

NativeBody body_of(const SchemaChange& change) {
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

int upgrade_line(const RevisionDraft& draft) {
  const std::string& text = draft.text;
  const std::size_t at = std::min(text.find("-- athanor:upgrade"), text.size());
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

}  // namespace athanor::cli
