#include "migrations/cli/recorded_drift.hpp"

#include <algorithm>
#include <utility>

#include "migrations/base/ids.hpp"
#include "migrations/cli/schema_work.hpp"

namespace athanor::cli {
namespace {

Json record_json(const DriftCheck& check) {
  if (!check.record) {
    return nullptr;
  }
  const SchemaRecord& record = *check.record;
  return {{"digest", record.digest},           {"reason", record.reason}, {"revision", record.revision},
          {"recorded_at", record.recorded_at}, {"actor", record.actor},   {"tool", record.tool}};
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

void warn_missing_kinds(Output& output, const DriftCheck& check) {
  if (!check.missing_kinds.empty()) {
    output.warn("not compared, because they were not recorded: " + joined(check.missing_kinds) +
                "; the next run records them, and so does `athanor drift --accept`");
  }
}

}  // namespace

DriftSettings drift_settings(const CommandContext& context, const Configuration& configuration) {
  DriftSettings settings;
  settings.ledger_schema = configuration.ledger_schema;
  settings.version_table = configuration.version_table;
  settings.compare = configuration.schema.compare;
  apply_filters(context.arguments(), settings.compare);
  settings.actor = context.outside().actor;
  return settings;
}

Result<RecordedState> observe_recorded(CommandContext& context) {
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  TRY_ASSIGN(Database database, Database::connect(context, configuration));
  TRY_ASSIGN(Observation observation, database.migrator().observe());
  context.output().set_current(observation.current_heads);
  return RecordedState{std::move(configuration), std::move(database), std::move(observation)};
}

Result<DriftCheck> check_recorded(CommandContext& context, RecordedState& state) {
  DriftCheck check;
  const DriftSettings settings = drift_settings(context, state.configuration);
  auto checked = state.database.migrator().ask([&](Session& session) -> Result<void> {
    TRY_ASSIGN(check, check_drift(session, settings));
    return {};
  });
  // Not an error: the caller can still compare with the revisions.
  if (!checked && checked.error().code == ErrorCode::InsufficientPrivilege) {
    check.unknown = "cannot read the record: " + checked.error().message;
    return check;
  }
  return checked ? Result<DriftCheck>(std::move(check)) : fail(std::move(checked).error());
}

Result<void> report_recorded(CommandContext& context, RecordedState& state, DriftCheck check) {
  Output& output = context.output();
  output.fields()["against"] = "ledger";
  output.fields()["recorded"] = record_json(check);
  output.fields()["drift"] = check.lines;
  warn_missing_kinds(output, check);
  const DriftSettings settings = drift_settings(context, state.configuration);
  TRY(require_matches(output, settings.compare, check.unmatched));
  const bool filtered = schema::is_filtered(settings.compare);
  if (check.state == DriftCheck::State::Same) {
    output.set_message("no drift");
    output.line(no_drift(filtered) + ": nothing has changed since " + check.since() + ".");
    return {};
  }
  output.line("Changed since " + check.since() + ":");
  for (const std::string& line : check.lines) {
    output.line("drift: " + line);
  }
  const std::size_t count = check.lines.size();
  Error error(ErrorCode::Drifted,
              "the schema was changed outside of revisions since " + check.since() + ": " + count_differences(count));
  const auto& kinds = check.record->kinds;
  const bool grants = std::ranges::find(kinds, "privileges") != kinds.end();
  TRY(print_drift_sql(context, state.database, state.configuration,
                      {std::move(*check.live), std::move(*check.expected), std::move(check.lines), grants, filtered}));
  return fail(std::move(error).advise("undo the change, write it as a revision, or accept it: athanor drift --accept"));
}

Error nothing_recorded(const DriftCheck& check) {
  return Error(ErrorCode::Configuration, "no recorded schema to compare with: " + check.unknown)
      .advise(
          "`ledger: {keep_catalog: true}` records the schema with each run, `athanor drift --accept` records it now, and "
          "--against revisions compares with the schema that the revisions create");
}

Result<void> accept_drift(CommandContext& context, RecordedState& state) {
  if (state.observation.unfinished) {
    return fail(Error(ErrorCode::StepOutcomeUnknown, "revision " + state.observation.unfinished->revision +
                                                         " is half-applied, so the expected schema is unknown")
                    .advise("finish it first; `athanor status` shows how"));
  }
  DriftSettings settings = drift_settings(context, state.configuration);
  // The whole schema is accepted, including what a filter hides.
  const auto kinds = kinds_of(settings.compare);
  settings.compare = {};
  apply_kinds(kinds, settings.compare);
  DriftCheck before;
  TRY(state.database.migrator().ask_under_lock(
      [&](Session& session) -> Result<void> {
        TRY_ASSIGN(before, check_drift(session, settings));
        return accept_catalog(session, settings, new_run_id());
      },
      context.outside().stop));
  Output& output = context.output();
  output.fields()["accepted"] = before.state == DriftCheck::State::Unknown ? Json(nullptr) : Json(before.lines);
  for (const std::string& line : before.lines) {
    output.line("accepted: " + line);
  }
  output.set_message("the current schema is recorded");
  output.line("The current schema is recorded; later checks for drift compare with it.");
  return {};
}

}  // namespace athanor::cli
