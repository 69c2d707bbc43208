// The verb test: runs every revision up, down and up again on a scratch database, and compares the schema each time.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/schema/difference.hpp"

namespace athanor::cli {
namespace {

using Heads = std::vector<std::string>;  // sorted

// Runs revision by revision and keeps the schema at each set of rows of the version table.
class Round {
 public:
  Round(CommandContext& context, const Project& project, SchemaWork& work)
      : context_(context), project_(project), work_(work) {}

  Result<void> run() {
    TRY_ASSIGN(const Plan all, make_plan(project_.graph, *project_.source, Direction::Upgrade, {}, {"heads"}));
    TRY(work_.prepare_roles(all));
    TRY_ASSIGN(database_, work_.empty_database(all));
    TRY(check_schema({}, ""));
    TRY(walk_up(all));
    where_ = "";
    TRY(walk_down(all.to));
    if (!stopped_at_.empty()) {
      context_.output().warn("the downgrade ends at revision " + stopped_at_ + ": " + stopped_because_);
    }
    TRY_ASSIGN(const Plan again, make_plan(project_.graph, *project_.source, Direction::Upgrade, rows_, {"heads"}));
    where_ = " again after the downgrades";
    auto done = walk_up(again);
    if (done || done.error().sqlstate.empty() || done.error().code == ErrorCode::Interrupted) {
      return done;
    }
    if (!failures_.empty()) {  // the downgrades left something behind, which is already reported
      context_.output().warn("the second upgrade failed: " + done.error().message);
      return {};
    }
    // Every revision has run once, so something outside of the schema is left over, such as a role.
    failures_.push_back(done.error().message);
    failed_.push_back({{"after", "the downgrades"}, {"at", rows_}, {"difference", {done.error().message}}});
    context_.output().line(done.error().describe());
    return {};
  }

  [[nodiscard]] std::size_t steps() const { return steps_; }
  [[nodiscard]] const std::string& stopped_at() const { return stopped_at_; }
  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }
  [[nodiscard]] const Json& failed() const { return failed_; }
  // Revisions among the failures whose downgrade has no statement.
  [[nodiscard]] const std::vector<std::string>& empty() const { return empty_; }

 private:
  // A plan with one revision of another plan.
  static Plan single(const Plan& plan, const PlannedRevision& revision, const Heads& rows) {
    Plan one = plan;
    one.from = rows;
    one.to = revision.walk.heads;
    one.revisions = {revision};
    return one;
  }

  Result<void> walk_up(const Plan& plan) {
    for (const PlannedRevision& revision : plan.revisions) {
      TRY(step(plan, revision));
    }
    return {};
  }

  // Plans one revision at a time, because an irreversible one further down must not prevent the others from being tested.
  Result<void> walk_down(const Heads& heads) {
    TRY_ASSIGN(const Walk walk, make_walk(project_.graph, Direction::Downgrade, heads, {"base"}));
    for (const WalkStep& one : walk.steps) {
      const Revision& revision = *project_.graph.find(*one.revision);
      TRY_ASSIGN(std::string text, project_.source->read(revision));
      TRY_ASSIGN(RevisionScript script, parse_script(revision, std::move(text)));
      if (script.irreversible || !script.has_downgrade) {
        stopped_at_ = revision.id;
        stopped_because_ = script.irreversible ? "it is irreversible: " + script.irreversible_reason : "it has no downgrade";
        return {};
      }
      PlannedRevision planned;
      planned.walk = one;
      planned.message = revision.message;
      planned.path = revision.path;
      planned.down = revision.down;
      planned.depends_on = revision.depends_on;
      planned.labels = revision.labels;
      planned.script = std::make_shared<const RevisionScript>(std::move(script));
      Plan plan;
      plan.operation = Direction::Downgrade;
      plan.target = "base";
      const bool empty =
          std::ranges::all_of(planned.script->downgrade, [](const ScriptStep& part) { return part.statements.empty(); });
      const std::size_t known = failures_.size();
      TRY(step(plan, planned));
      if (empty && failures_.size() > known) {
        empty_.push_back(revision.id);
      }
    }
    return {};
  }

  Result<void> step(const Plan& plan, const PlannedRevision& revision) {
    const bool down = revision.walk.direction == Direction::Downgrade;
    auto done = work_.run_plan(*database_, single(plan, revision, rows_), where_);
    if (!done) {
      Error error = std::move(done).error();
      if (down && error.message.starts_with("revision ")) {
        error.message = "the downgrade of " + error.message;
      }
      return fail(std::move(error));
    }
    ++steps_;
    rows_ = revision.walk.heads;
    return check_schema(rows_, (down ? "the downgrade of revision " : "revision ") + revision.walk.revision.value_or(""));
  }

  // Inspects the schema at these rows: keeps it the first time, compares it later.
  Result<void> check_schema(const Heads& rows, const std::string& after) {
    TRY_ASSIGN(schema::Catalog catalog, work_.loader().inspect_scratch(*database_));
    const auto known = seen_.find(rows);
    if (known == seen_.end()) {
      seen_.emplace(rows, std::move(catalog));
      return {};
    }
    if (known->second.fingerprint() == catalog.fingerprint()) {
      return {};
    }
    const auto lines = describe_difference(catalog, known->second);
    Json json = {{"after", after}, {"at", rows}, {"difference", lines}};
    failed_.push_back(std::move(json));
    failures_.push_back(after + " does not restore the schema at " + join_revisions(rows));
    context_.output().line(failures_.back() + ":");
    for (const std::string& line : lines) {
      context_.output().line("  " + line);
    }
    // Otherwise every later step would report the same difference again.
    known->second = std::move(catalog);
    return {};
  }

  CommandContext& context_;
  const Project& project_;
  SchemaWork& work_;
  std::unique_ptr<schema::ScratchDatabase> database_;
  Heads rows_;
  std::string_view where_ = " on an empty database";
  std::map<Heads, schema::Catalog> seen_;
  std::size_t steps_ = 0;
  std::string stopped_at_;
  std::string stopped_because_;
  std::vector<std::string> failures_;
  std::vector<std::string> empty_;
  Json failed_ = Json::array();
};

}  // namespace

Result<void> run_test(CommandContext& context) {
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  TRY_ASSIGN(const int version, read_target_settings(context, configuration));  // what the revisions will run on
  SchemaWork work(context, configuration, version);
  Round round(context, project, work);
  TRY(round.run());
  Output& output = context.output();
  output.fields()["revisions"] = project.graph.size();
  output.fields()["runs"] = round.steps();
  output.fields()["irreversible"] = round.stopped_at().empty() ? Json(nullptr) : Json(round.stopped_at());
  output.fields()["failures"] = round.failed();
  const std::string count = std::to_string(project.graph.size()) + (project.graph.size() == 1 ? " revision" : " revisions");
  if (round.failures().empty()) {
    const std::string message = count + " up, down and up again: the schema is the same each time";
    output.set_message(message);
    output.line(message + ".");
    return {};
  }
  return fail(Error(ErrorCode::ProofFailed, round.failures().front() + (round.failures().size() > 1 ? ", and others" : ""))
                  .advise(round.empty().empty()
                              ? "complete its downgrade: the lines above say what is left over (+) and what is missing (-)"
                              : "the downgrade of " + join_revisions(round.empty()) +
                                    " is empty: write it, or mark the revision as irreversible: -- athanor:irreversible WHY"));
}

}  // namespace athanor::cli
