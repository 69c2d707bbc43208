#include "migrations/cli/schema_checks.hpp"

#include <algorithm>

#include "migrations/cli/schema_report.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/schema/unspoken.hpp"
#include "migrations/text/printable.hpp"
#include "migrations/text/sql_comment.hpp"

namespace athanor::cli {
namespace {

constexpr int kVersionsInOneMajor = 10'000;

bool has_python(const Project& project) {
  return std::ranges::any_of(project.graph.revisions(),
                             [](const Revision& revision) { return revision.format == RevisionFormat::AlembicPython; });
}

bool is_up_to_date(const Situation& situation) {
  const auto walk = make_walk(situation.project.graph, Direction::Upgrade, situation.observation.current_heads, {"heads"});
  return walk && walk->steps.empty();
}

// The SQL of one direction, or the reason why there is none. `text` formats the plan.
template <class Text>
std::string statements_of(const schema::Catalog& from, const schema::Catalog& to, const Text& text) {
  const auto plan = schema::plan_changes(from, to);
  return plan ? text(*plan) : sql_comment(plan.error().message);
}

}  // namespace

std::string count_differences(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " difference" : " differences");
}

Result<void> require_same_major(const schema::Catalog& one, const schema::Catalog& other) {
  const int left = one.server_version / kVersionsInOneMajor;
  const int right = other.server_version / kVersionsInOneMajor;
  if (left == right) {
    return {};
  }
  return fail(Error(ErrorCode::ScratchUnavailable, "one schema is of PostgreSQL " + std::to_string(left) +
                                                       ", the other of PostgreSQL " + std::to_string(right) +
                                                       ": they cannot be compared")
                  .advise("load both on servers of the same major version"));
}

Result<std::vector<std::string>> models_ahead(SchemaWork& work, const Situation& situation) {
  TRY_ASSIGN(const schema::LoadedSchema desired, work.desired());
  // Python revisions cannot run here; an up-to-date database contains what they created.
  const bool python = has_python(situation.project);
  if (python && !is_up_to_date(situation)) {
    return std::vector<std::string>{};
  }
  TRY_ASSIGN(const schema::Catalog now, python ? work.live() : work.after(situation.project, situation.project.graph.heads()));
  TRY(require_same_major(now, desired.catalog));
  TRY(work.require_matches({&now, &desired.catalog}));
  return describe_changes(now, complete_desired(desired.catalog, now, desired.from_models).catalog);
}

Error models_ahead_error(const std::vector<std::string>& lines) {
  return Error(ErrorCode::ModelsAhead, "the desired schema is ahead of the revisions: " + count_differences(lines.size()))
      .advise("write the revision: athanor revision --autogenerate -m \"…\"");
}

Result<Drift> find_drift(SchemaWork& work, const Situation& situation) {
  Drift drift;
  TRY_ASSIGN(drift.expected, work.after(situation.project, situation.observation.current_heads));
  TRY_ASSIGN(drift.live, work.live());
  TRY(require_same_major(drift.live, drift.expected));
  TRY(work.require_matches({&drift.live, &drift.expected}));
  drift.lines = describe_difference(drift.live, drift.expected);
  drift.grants_compared = work.compares_grants();
  drift.filtered = schema::is_filtered(work.filter());
  return drift;
}

Error drift_error(const Drift& drift) {
  return Error(ErrorCode::Drifted,
               "the database differs from what its revisions create: " + count_differences(drift.lines.size()))
      .advise("undo the change, or write it as a revision; `athanor drift` prints the statements for both");
}

std::string no_drift(bool filtered) {
  return filtered ? "No drift in what was compared" : "No drift";
}

void report_drift(CommandContext& context, const Drift& drift) {
  Output& output = context.output();
  for (const std::string& line : drift.lines) {
    output.line("drift: " + printable(line, LineEnds::Escape));
  }
  output.fields()["drift"] = drift.lines;
  if (drift.lines.empty()) {
    output.set_message("no drift");
    output.line(no_drift(drift.filtered) + ": the database matches what its revisions create.");
  }
}

Result<void> print_drift_sql(CommandContext& context, Database& database, const Configuration& configuration,
                             const Drift& drift) {
  if (drift.lines.empty()) {
    return {};
  }
  schema::InspectOptions options;
  options.owners = true;
  options.privileges = true;
  options.version_table = configuration.version_table;
  options.ledger_schema = configuration.ledger_schema;
  schema::Catalog now;
  TRY(database.migrator().ask([&](Session& session) -> Result<void> {
    TRY_ASSIGN(now, schema::inspect(session, options));
    return {};
  }));
  // Compared grants differ, and the statements change them. Others are those of the database on both sides.
  const schema::Catalog known = drift.grants_compared ? schema::without_grants(now) : std::move(now);
  const schema::Catalog expected = with_grants_of(drift.expected, known);
  const schema::Catalog live = with_grants_of(drift.live, known);
  const std::string back = statements_of(live, expected, script_text);
  const std::string forth =
      statements_of(expected, drift.grants_compared ? live : with_grants_of(drift.live, expected), section_text);
  Output& output = context.output();
  output.fields()["undo_sql"] = back;
  output.fields()["adopt_sql"] = forth;
  output.text("\n-- Undoes the drift:\n" + back + "\n-- Adds it to the revisions:\n" + forth);
  return {};
}

}  // namespace athanor::cli
