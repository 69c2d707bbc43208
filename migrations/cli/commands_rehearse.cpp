// rehearse: the pending revisions on a copy of the live schema, or of a backup.
#include <algorithm>
#include <optional>
#include <utility>

#include "migrations/backup/retention.hpp"
#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/backup_lines.hpp"
#include "migrations/cli/backup_location.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/cli/schema_report.hpp"
#include "migrations/cli/schema_work.hpp"
#include "migrations/rehearse/backup_copy.hpp"
#include "migrations/rehearse/containment.hpp"
#include "migrations/rehearse/rehearsal.hpp"
#include "migrations/rehearse/rehearsal_summary.hpp"

namespace athanor::cli {
namespace {

constexpr std::string_view kBackup = "--backup";
constexpr std::string_view kLatest = "latest";
// As `upgrade` would: on real rows a statement takes its time.
constexpr milliseconds kLongestAnswer{24 * 3'600'000};

// What a plan is rehearsed on.
struct Stage {
  LiveSchema live{};
  CopiedSchema copy{};
  std::optional<BackupRecord> backup{};  // empty: a copy of the schema
};

Json live_json(const LiveSizes& sizes, const std::vector<std::string>& relations) {
  Json json = Json::array();
  for (const std::string& relation : relations) {
    if (const auto found = sizes.find(relation); found != sizes.end()) {
      json.push_back({{"relation", relation}, {"bytes", found->second.bytes}});
      json.back()["rows"] = found->second.rows < 0 ? Json(nullptr) : Json(found->second.rows);
    }
  }
  return json;
}

Json statement_json(const RehearsedStatement& statement, const LiveSizes& sizes) {
  Json locks = nullptr;
  if (statement.locks_known) {
    locks = Json::array();
    for (const RehearsedLock& lock : statement.locks) {
      locks.push_back({{"relation", lock.relation}, {"mode", lock_mode_in_words(lock.mode)}});
    }
  }
  return {{"revision", statement.revision},
          {"step", statement.step},
          {"kind", step_kind_name(statement.kind)},
          {"line", statement.line},
          {"sql", statement.sql},
          {"locks", std::move(locks)},
          {"rewrites", statement.rewrites},
          {"live", live_json(sizes, statement.rewrites)},
          {"rows", statement.rows},
          {"duration_ms", statement.duration.count()}};
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
      output.line("      locks: unknown, because it runs outside a transaction");
    }
    return;  // otherwise it failed
  }
  std::string mode;
  std::vector<std::string> relations;
  const auto print = [&] {
    if (!relations.empty()) {
      output.line("      " + lock_mode_in_words(mode) + " on " + joined(relations));
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

// "public.orders (about 1200 rows, 98.0 MiB)", as the database has it.
std::string with_size(const LiveSizes& sizes, const std::string& relation) {
  const auto found = sizes.find(relation);
  if (found == sizes.end()) {
    return relation;
  }
  const std::string rows =
      found->second.rows < 0 ? "row count unknown" : "about " + std::to_string(found->second.rows) + " rows";
  return relation + " (" + rows + ", " + size_text(static_cast<std::uint64_t>(found->second.bytes)) + ")";
}

void print_statements(Output& output, const Rehearsal& rehearsal, const LiveSizes& sizes) {
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
      std::vector<std::string> rewritten;
      for (const std::string& relation : statement.rewrites) {
        rewritten.push_back(with_size(sizes, relation));
      }
      output.line("      rewrites " + joined(rewritten));
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

// What the copy has and has not: times and plans are worth as much.
std::string copy_in_words(const Stage& stage) {
  if (stage.backup) {
    return "On the backup " + backup_text(*stage.backup) + ", restored: with the rows of that time and no other sessions.";
  }
  return std::string(
             "On a copy of the schema without rows: times and row counts are not those of the database; sizes in parentheses "
             "are, from its statistics.") +
         (stage.copy.has_statistics ? " The planner of the copy has the statistics of the database, without most common values "
                                      "and histograms."
                                    : " The planner of the copy has no statistics of the rows.");
}

void report(CommandContext& context, const Stage& stage, const Rehearsal& rehearsal) {
  Output& output = context.output();
  Json statements = Json::array();
  for (const RehearsedStatement& statement : rehearsal.statements) {
    statements.push_back(statement_json(statement, stage.live.sizes));
  }
  Json& fields = output.fields();
  fields["copy"] = stage.backup ? "backup" : "schema without rows";
  fields["statistics"] = stage.copy.has_statistics;
  fields["backup"] = stage.backup ? backup_json(*stage.backup) : Json(nullptr);
  fields["statements"] = std::move(statements);
  fields["downgrade"] = {{"outcome", back_name(rehearsal.back)}, {"difference", rehearsal.difference}};
  fields["downgrade"]["irreversible"] = rehearsal.irreversible.empty() ? Json(nullptr) : Json(rehearsal.irreversible);
  fields["up_again"] = {{"same", rehearsal.up_again}, {"difference", rehearsal.difference_again}};
  output.line(copy_in_words(stage));
  print_statements(output, rehearsal, stage.live.sizes);
  for (const std::string& line : rehearsal.difference) {
    output.line("after the downgrade: " + line);
  }
  for (const std::string& line : rehearsal.difference_again) {
    output.line("after the second upgrade: " + line);
  }
}

Result<void> conclude(CommandContext& context, const Stage& stage, const Rehearsal& rehearsal) {
  if (auto failure = failure_of(rehearsal, stage.backup ? "the backup" : "a copy of the schema")) {
    return fail(std::move(*failure));
  }
  const std::string message = success_of(rehearsal);
  context.output().set_message(message);
  context.output().line(message + ".");
  return {};
}

// Sessions of the scratch server. A backup holds rows, whose values no message may show.
schema::ConnectFunction scratch_connections(CommandContext& context, bool rows) {
  return [&context, rows](const std::string& url, const ExecutionSettings& wanted) {
    ExecutionSettings settings = wanted;
    if (rows) {
      settings.show_values = false;
      settings.answer_timeout = kLongestAnswer;
    }
    return context.outside().connect(url, settings);
  };
}

// The backup that --backup names, of the rows that the database has now: another one would rehearse another plan.
Result<BackupRecord> chosen_backup(CommandContext& context, const BackupLocation& place, BackupProgress& progress,
                                   const std::string& name, std::vector<std::string> heads) {
  if (name == kLatest) {
    TRY_ASSIGN(const auto sessions, connect_to(context, place));
    return newest_backup({*place.store, *sessions, *context.outside().clock, progress, context.outside().stop}, place.job);
  }
  TRY_ASSIGN(StoredBackup found, find_backup(*place.store, name.substr(name.rfind('/') + 1)));
  std::vector<std::string> rows = found.record.revisions;
  std::ranges::sort(rows);
  std::ranges::sort(heads);
  if (rows != heads) {
    return fail(Error(ErrorCode::BackupRefused, "the backup is at " + join_revisions(rows) + ", and the database is at " +
                                                    join_revisions(heads) + ": rehearsing on it would run a different plan")
                    .at(found.record.location)
                    .advise("take one now: athanor backup; then --backup latest"));
  }
  return std::move(found.record);
}

Result<void> restore_copy(CommandContext& context, const Situation& situation, schema::ScratchServer& server, const Plan& plan,
                          const schema::InspectOptions& options, Stage& stage) {
  const std::string name = *context.arguments().value(kBackup);
  TRY_ASSIGN(const BackupLocation place,
             open_backup_place(context, situation.configuration, BackupAccess::Reading, name == kLatest ? "" : name));
  const auto lines = make_backup_lines(context.output(), *context.outside().clock, context.outside().err_is_terminal);
  TRY_ASSIGN(stage.backup, chosen_backup(context, place, *lines, name, situation.observation.current_heads));
  TRY_ASSIGN(stage.copy, copy_backup({.server = server,
                                      .store = *place.store,
                                      .record = *stage.backup,
                                      .job = place.job,
                                      .keywords = context.outside().connection_keywords,
                                      .live = stage.live.catalog,
                                      .plan = plan,
                                      .options = options},
                                     *lines, *context.outside().clock, context.outside().stop));
  return {};
}

Result<void> rehearse_plan(CommandContext& context, const Situation& situation, const Plan& plan) {
  const Configuration& configuration = situation.configuration;
  TRY(check_containment(plan, configuration.schema.scratch_url.empty() && !configuration.schema.scratch_on_target));
  const schema::InspectOptions options = whole_schema(configuration.version_table, configuration.ledger_schema);
  ExecutionSettings settings = configuration.execution;
  settings.application_name = "athanor rehearse";
  TRY_ASSIGN(const auto factory, context.outside().connect(configuration.database_url, settings));
  TRY_ASSIGN(const auto session, factory->open());
  const bool from_backup = context.arguments().has(kBackup);
  schema::ScratchServer server(scratch_settings(context, configuration, situation.observation.server_version),
                               scratch_connections(context, from_backup), *context.outside().clock, context.outside().stop);
  Stage stage;
  TRY_ASSIGN(stage.live, read_live_schema(*session, options));
  warn_unmodelled(context.output(), stage.live.catalog);
  if (from_backup) {
    TRY(restore_copy(context, situation, server, plan, options, stage));
  } else {
    TRY_ASSIGN(stage.copy, copy_schema(server, stage.live.catalog, session.get(), plan, options));
  }
  if (const auto& lines = stage.copy.difference; !lines.empty()) {
    context.output().warn("the copy differs from the schema of the database: " + lines.front() +
                          (lines.size() > 1 ? ", and " + std::to_string(lines.size() - 1) + " more" : ""));
  }
  TRY_ASSIGN(const Rehearsal rehearsal, rehearse({.copy = *stage.copy.database,
                                                  .plan = plan,
                                                  .clock = *context.outside().clock,
                                                  .search_path = configuration.execution.search_path,
                                                  .inspect = stage.copy.inspect}));
  report(context, stage, rehearsal);
  return conclude(context, stage, rehearsal);
}

}  // namespace

Result<void> run_rehearse(CommandContext& context) {
  const auto& operands = context.arguments().operands();
  const std::string target = operands.empty() ? "heads" : operands.front();
  TRY_ASSIGN(Situation situation, observe_situation(context));
  const auto& heads = situation.observation.current_heads;
  TRY(require_known_heads(situation.database.migrator(), situation.project.graph, heads));
  if (const auto half = half_applied_revision(situation.project, situation.observation.unfinished)) {
    return fail(Error(ErrorCode::StepOutcomeUnknown, describe_half_applied(half->parts) + "; it cannot be rehearsed")
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
  return rehearse_plan(context, situation, plan);
}

}  // namespace athanor::cli
