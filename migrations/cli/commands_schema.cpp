// The verbs inspect, diff and drift, which read and compare schemas.
#include <optional>
#include <utility>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/autogenerate.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/entity_diagram.hpp"
#include "migrations/cli/recorded_drift.hpp"
#include "migrations/cli/schema_checks.hpp"
#include "migrations/cli/schema_operand.hpp"
#include "migrations/cli/schema_report.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/diff.hpp"
#include "migrations/schema/renamed_state.hpp"
#include "migrations/schema/unspoken.hpp"

namespace athanor::cli {
namespace {

Result<std::string> format_of(const Arguments& arguments, std::initializer_list<std::string_view> allowed) {
  std::string format = arguments.value("--format").value_or(std::string(*allowed.begin()));
  std::string known;
  for (const std::string_view one : allowed) {
    if (one == format) {
      return format;
    }
    known += (known.empty() ? "" : ", ") + std::string(one);
  }
  return fail(Error(ErrorCode::Usage, "unknown format '" + format + "'").advise("formats are: " + known));
}

Result<schema::Style> style_of(const Arguments& arguments) {
  const std::string style = arguments.value("--style").value_or("online");
  if (style != "online" && style != "plain") {
    return fail(Error(ErrorCode::Usage, "--style takes online or plain, not '" + style + "'"));
  }
  return style == "plain" ? schema::Style::Plain : schema::Style::Online;
}

void print_inspected(CommandContext& context, const schema::Catalog& catalog, const std::string& text) {
  Output& output = context.output();
  warn_unmodelled(output, catalog);
  output.set_message(std::to_string(catalog.facts().size()) + " facts");
  if (context.json()) {
    Json json = catalog_json(catalog);
    for (auto& [name, value] : json.items()) {
      output.fields()[name] = std::move(value);
    }
  }
  output.text(text);
}

void print_diff(CommandContext& context, const schema::ChangePlan& plan, const std::string& format, bool filtered) {
  Output& output = context.output();
  Json json = plan_json(plan);
  output.fields()["summary"] = std::move(json["summary"]);
  output.fields()["statements"] = std::move(json["statements"]);
  if (plan.empty() && plan.summary.empty()) {
    output.set_message("no difference");
    output.line(filtered ? "No difference in what was compared." : "No difference.");
    return;
  }
  output.set_message(count_changes(plan.summary.size()));
  if (format == "summary" || plan.empty()) {
    print_summary(output, plan);
  } else {
    output.text(script_text(plan));
  }
}

// Applies the renames to `before`: the plan begins with them and continues from the resulting schema, which only a server
// knows.
Result<void> apply_renames(SchemaWork& work, schema::Catalog& before, const schema::Catalog& after,
                           schema::PlanOptions& options) {
  if (options.renames.empty()) {
    return {};
  }
  TRY_ASSIGN(const auto state, work.built(before));
  const auto inspect = [&](const schema::ScratchDatabase& database) { return work.loader().inspect_scratch(database); };
  TRY_ASSIGN(schema::RenamedState there, schema::rename_on_copy(work.server(), *state, options.renames, after, inspect));
  options.renames = std::move(there.renames);
  options.new_schemas = std::move(there.new_schemas);
  before = std::move(there.catalog);
  return {};
}

// A file contains no partition that was created at run time, and a database lacks none.
schema::Children children_of(const SchemaOperand& from, const SchemaOperand& to, bool models) {
  using enum SchemaOperand::Kind;
  const bool described = from.kind == Desired || from.kind == Source;
  const bool live = to.kind == Live || to.kind == Url;
  return !models && (described || live) ? schema::Children::Compared : schema::Children::Stay;
}

}  // namespace

Result<void> run_inspect(CommandContext& context) {
  TRY_ASSIGN(const std::string format, format_of(context.arguments(), {"sql", "mermaid", "svg"}));
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  std::optional<Project> project;
  const auto& operands = context.arguments().operands();
  TRY_ASSIGN(const SchemaOperand operand,
             read_operand(context, configuration, project, operands.empty() ? "database" : operands.front()));
  TRY_ASSIGN(const int version, server_version_of(context, configuration, operand));
  SchemaWork work(context, configuration, version);
  TRY_ASSIGN(const OperandSchema loaded, load_operand(work, project, operand));
  TRY(work.require_matches({&loaded.catalog}));
  std::string text;
  if (format == "mermaid") {
    text = mermaid_diagram(loaded.catalog);
    context.output().fields()["mermaid"] = text;
  } else if (format == "svg") {
    text = svg_diagram(loaded.catalog);
    context.output().fields()["svg"] = text;
  } else if (!context.json()) {
    TRY_ASSIGN(const schema::ChangePlan plan, schema::plan_creation(loaded.catalog));
    text = script_text(plan);
  }
  print_inspected(context, loaded.catalog, text);
  return {};
}

Result<void> run_diff(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  TRY_ASSIGN(const std::string format, format_of(arguments, {"sql", "summary"}));
  schema::PlanOptions options;
  TRY_ASSIGN(options.style, style_of(arguments));
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  std::optional<Project> project;
  TRY_ASSIGN(const SchemaOperand from, read_operand(context, configuration, project, arguments.operands()[0]));
  TRY_ASSIGN(const SchemaOperand to, read_operand(context, configuration, project, arguments.operands()[1]));
  TRY_ASSIGN(int version, server_version_of(context, configuration, from));
  TRY_ASSIGN(const int other, server_version_of(context, configuration, to));
  version = version > 0 ? version : other;
  SchemaWork work(context, configuration, version, SchemaWork::Read::GrantsToo);
  TRY_ASSIGN(OperandSchema before, load_operand(work, project, from));
  TRY_ASSIGN(OperandSchema after, load_operand(work, project, to));
  TRY(require_same_major(before.catalog, after.catalog));
  TRY(work.require_matches({&before.catalog, &after.catalog}));
  const schema::Children children = children_of(from, to, after.from_models);
  after.catalog = complete_desired(after.catalog, before.catalog, after.from_models, work.grants(), children).catalog;
  warn_unmodelled(context.output(), after.catalog);
  TRY_ASSIGN(options.renames, print_chosen_renames(context.output(), before.catalog, after.catalog, after.renames,
                                                   arguments.values("--rename")));
  TRY(apply_renames(work, before.catalog, after.catalog, options));
  if (!options.renames.empty() && work.grants() == schema::Grants::Stay) {
    after.catalog = complete_desired(after.catalog, before.catalog, false, schema::Grants::Stay, children).catalog;
  }
  TRY_ASSIGN(const schema::ChangePlan plan, schema::plan_changes(before.catalog, after.catalog, options));
  print_diff(context, plan, format, schema::is_filtered(work.filter()));
  return {};
}

Result<void> run_drift(CommandContext& context) {
  const std::string against = context.arguments().value("--against").value_or("");
  if (!against.empty() && against != "ledger" && against != "revisions") {
    return fail(Error(ErrorCode::Usage, "--against takes ledger or revisions, not '" + against + "'"));
  }
  // Comparing with the ledger's record needs no revision files.
  TRY_ASSIGN(RecordedState recorded, observe_recorded(context));
  if (context.arguments().has("--accept")) {
    return against.empty()
               ? accept_drift(context, recorded)
               : fail(Error(ErrorCode::Usage, "--accept cannot be combined with --against").advise("leave out --against"));
  }
  if (against != "revisions") {
    TRY_ASSIGN(DriftCheck check, check_recorded(context, recorded));
    if (check.state != DriftCheck::State::Unknown) {
      return report_recorded(context, recorded, std::move(check));
    }
    if (against == "ledger") {
      return fail(nothing_recorded(check));
    }
    context.output().fields()["not_recorded"] = check.unknown;
    context.output().note("Compared with the schema that the revisions create, not with the ledger: " + check.unknown + ".");
  }
  TRY_ASSIGN(Situation situation, observe_situation(context));
  context.output().fields()["against"] = "revisions";
  TRY(require_known_heads(situation.database.migrator(), situation.project.graph, situation.observation.current_heads));
  TRY(situation.database.migrator().ask([&](Session& session) { return take_search_path(session, situation.configuration); }));
  SchemaWork work(context, situation.configuration, situation.observation.server_version);
  TRY_ASSIGN(const Drift drift, find_drift(work, situation));
  report_drift(context, drift);
  TRY(print_drift_sql(context, situation.database, situation.configuration, drift));
  return drift.lines.empty() ? Result<void>() : fail(drift_error(drift));
}

}  // namespace athanor::cli
