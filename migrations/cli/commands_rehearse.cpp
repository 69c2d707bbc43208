// The verb rehearse: runs the pending revisions on a copy of the live schema.
#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_report.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/rehearse/rehearsal.hpp"
#include "migrations/schema/difference.hpp"

namespace athanor::cli {
namespace {

// Without the filters of `compare`, because a revision may need what they exclude.
schema::InspectOptions whole_schema(const Configuration& configuration) {
  schema::InspectOptions options;
  options.version_table = configuration.version_table;
  options.ledger_schema = configuration.ledger_schema;
  return options;
}

Result<schema::Catalog> live_schema(CommandContext& context, const Configuration& configuration) {
  ExecutionSettings settings = configuration.execution;
  settings.application_name = "athanor rehearse";
  TRY_ASSIGN(const auto factory, context.outside().connect(configuration.database_url, settings));
  TRY_ASSIGN(const auto session, factory->open());
  return schema::inspect(*session, whole_schema(configuration));
}

// "ACCESS EXCLUSIVE" of "AccessExclusiveLock".
std::string mode_in_words(std::string_view mode) {
  if (mode.ends_with("Lock")) {
    mode.remove_suffix(4);
  }
  std::string words;
  for (const char letter : mode) {
    const bool capital = letter >= 'A' && letter <= 'Z';
    words += capital && !words.empty() ? " " : "";
    words += static_cast<char>(capital ? letter : letter - 'a' + 'A');
  }
  return words;
}

Json statement_json(const RehearsedStatement& statement) {
  Json locks = nullptr;
  if (statement.locks_known) {
    locks = Json::array();
    for (const RehearsedLock& lock : statement.locks) {
      locks.push_back({{"relation", lock.relation}, {"mode", mode_in_words(lock.mode)}});
    }
  }
  return {{"revision", statement.revision}, {"step", statement.step}, {"kind", step_kind_name(statement.kind)},
          {"line", statement.line},         {"sql", statement.sql},   {"locks", std::move(locks)},
          {"rewrites", statement.rewrites}, {"rows", statement.rows}, {"duration_ms", statement.duration.count()}};
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

void print_locks(Output& output, const RehearsedStatement& statement) {
  if (!statement.locks_known) {
    if (statement.kind == StepKind::Autocommit) {
      output.line("      locks: not known, it runs outside a transaction");
    }
    return;  // otherwise it failed
  }
  std::string mode;
  std::vector<std::string> relations;
  const auto print = [&] {
    if (!relations.empty()) {
      output.line("      " + mode_in_words(mode) + " on " + joined(relations));
    }
  };
  for (const RehearsedLock& lock : statement.locks) {  // strongest first
    if (lock.mode == "AccessShareLock") {              // every SELECT takes it
      continue;
    }
    if (lock.mode != mode) {
      print();
      mode = lock.mode;
      relations.clear();
    }
    relations.push_back(lock.relation);
  }
  print();
}

void print_statements(Output& output, const Rehearsal& rehearsal) {
  std::string revision;
  for (const RehearsedStatement& statement : rehearsal.statements) {
    if (statement.revision != revision) {
      revision = statement.revision;
      output.line("revision " + revision);
    }
    output.line("  line " + std::to_string(statement.line) + ": " + statement.sql + " (" + duration_text(statement.duration) +
                (statement.rows > 0 ? ", " + std::to_string(statement.rows) + " rows" : "") + ")");
    print_locks(output, statement);
    if (!statement.rewrites.empty()) {
      output.line("      rewrites " + joined(statement.rewrites));
    }
  }
}

std::string_view back_name(Rehearsal::Back back) {
  switch (back) {
    case Rehearsal::Back::Same:
      return "same";
    case Rehearsal::Back::Different:
      return "different";
    case Rehearsal::Back::Failed:
      return "failed";
    case Rehearsal::Back::NotTried:
      break;
  }
  return "not tried";
}

void report(CommandContext& context, const Rehearsal& rehearsal) {
  Output& output = context.output();
  Json statements = Json::array();
  for (const RehearsedStatement& statement : rehearsal.statements) {
    statements.push_back(statement_json(statement));
  }
  Json& fields = output.fields();
  fields["copy"] = "schema without rows";
  fields["statements"] = std::move(statements);
  fields["downgrade"] = {{"outcome", back_name(rehearsal.back)}, {"difference", rehearsal.difference}};
  fields["downgrade"]["irreversible"] = rehearsal.irreversible.empty() ? Json(nullptr) : Json(rehearsal.irreversible);
  fields["up_again"] = {{"same", rehearsal.up_again}, {"difference", rehearsal.difference_again}};
  output.line("On a copy of the schema, without rows: times and row counts are not those of the database.");
  print_statements(output, rehearsal);
  for (const std::string& line : rehearsal.difference) {
    output.line("after the downgrade: " + line);
  }
  for (const std::string& line : rehearsal.difference_again) {
    output.line("after the second upgrade: " + line);
  }
}

Result<void> conclude(CommandContext& context, const Rehearsal& rehearsal) {
  // What the downgrade left is why the second upgrade fails, and not the other way round.
  if (rehearsal.error && rehearsal.difference.empty()) {
    const std::string what = rehearsal.back == Rehearsal::Back::NotTried ? "revision "
                             : rehearsal.back == Rehearsal::Back::Failed ? "the downgrade of revision "
                                                                         : "after its downgrade, revision ";
    Error error(ErrorCode::ProofFailed,
                what + rehearsal.failed_revision + " does not run on a copy of the schema: " + rehearsal.error->message);
    return fail(std::move(error)
                    .at(rehearsal.error->context)
                    .with_sqlstate(rehearsal.error->sqlstate)
                    .advise("correct the revision; the database was not changed"));
  }
  if (!rehearsal.difference.empty()) {
    return fail(Error(ErrorCode::ProofFailed, "the downgrade does not lead back to the present schema")
                    .advise("complete it: the lines above say what is left over (+) and what is missing (-)"));
  }
  if (!rehearsal.difference_again.empty()) {
    return fail(Error(ErrorCode::ProofFailed, "the second upgrade does not lead where the first did"));
  }
  const std::string message = rehearsal.back == Rehearsal::Back::Same
                                  ? "up, down and up again: the schema is the same each time"
                                  : "the upgrade runs; the way down was not tried: revision " + rehearsal.irreversible;
  context.output().set_message(message);
  context.output().line(message + ".");
  return {};
}

}  // namespace

Result<void> run_rehearse(CommandContext& context) {
  const auto& operands = context.arguments().operands();
  const std::string target = operands.empty() ? "heads" : operands.front();
  TRY_ASSIGN(Situation situation, observe_situation(context));
  const auto& heads = situation.observation.current_heads;
  TRY(require_known_heads(situation.database.migrator(), situation.project.graph, heads));
  if (const auto half = half_applied_revision(situation.project, situation.observation.unfinished)) {
    return fail(Error(ErrorCode::StepOutcomeUnknown, describe_half_applied(half->parts) + ": it cannot be rehearsed")
                    .advise(way_on(*half)));
  }
  TRY_ASSIGN(const Plan plan,
             make_plan(situation.project.graph, *situation.project.source, Direction::Upgrade, heads, {target}));
  context.output().fields()["plan_hash"] = plan.hash;
  if (plan.empty()) {
    context.output().fields()["statements"] = Json::array();
    context.output().set_message("nothing to rehearse: no revision is pending");
    context.output().line("Nothing to rehearse: no revision is pending.");
    return {};
  }
  TRY(situation.database.migrator().ask([&](Session& session) { return take_search_path(session, situation.configuration); }));
  TRY_ASSIGN(const schema::Catalog live, live_schema(context, situation.configuration));
  warn_unmodelled(context.output(), live);
  SchemaWork work(context, situation.configuration, situation.observation.server_version);
  TRY(work.prepare_roles(plan));
  TRY_ASSIGN(const auto copy, work.built(live));
  const schema::InspectScratch inspect = [&](const schema::ScratchDatabase& database) -> Result<schema::Catalog> {
    TRY_ASSIGN(const auto session, database.open());
    return schema::inspect(*session, whole_schema(situation.configuration));
  };
  TRY_ASSIGN(const schema::Catalog rebuilt, inspect(*copy));
  if (const auto lines = describe_difference(rebuilt, live); !lines.empty()) {
    context.output().warn("the copy is not quite the schema of the database: " + lines.front() +
                          (lines.size() > 1 ? ", and " + std::to_string(lines.size() - 1) + " more" : ""));
  }
  const RehearsalRequest request{.copy = *copy,
                                 .plan = plan,
                                 .clock = *context.outside().clock,
                                 .search_path = situation.configuration.execution.search_path,
                                 .inspect = inspect};
  TRY_ASSIGN(const Rehearsal rehearsal, rehearse(request));
  report(context, rehearsal);
  return conclude(context, rehearsal);
}

}  // namespace athanor::cli
