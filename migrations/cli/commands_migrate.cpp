// The verbs that change a database: upgrade, downgrade, stamp, ensure_version.
#include <algorithm>
#include <optional>
#include <utility>

#include "migrations/base/advice.hpp"
#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/backup_location.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/plan_listing.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/graph/target_position.hpp"

namespace athanor::cli {
namespace {

// Another process may migrate between our reading of the rows and the lock; then observe and plan again. Five times in a row
// suggest that two processes undo each other's work.
constexpr int kStalePlanAttempts = 5;

OfflineOptions offline_options(const Configuration& configuration) {
  return {configuration.version_table,    configuration.version_table_schema,
          configuration.version_table_pk, configuration.transaction_per_migration,
          configuration.execution.role,   configuration.execution.search_path};
}

void print_sql(CommandContext& context, const std::string& sql) {
  if (context.json()) {
    context.output().fields()["sql"] = sql;
  }
  context.output().set_message("SQL rendered; nothing was run");
  context.output().text(sql);
}

void report_run(CommandContext& context, const Plan& plan, const ExecutionReport& report) {
  Output& output = context.output();
  if (report.current_heads) {
    output.set_current(*report.current_heads);
  } else {
    output.forget_current();
  }
  if (!context.json() && !context.arguments().has("--report")) {
    return;
  }
  Json& fields = output.fields();
  fields["run_id"] = report.run_id;
  fields["plan_hash"] = plan.hash;
  Json steps = Json::array();
  for (const ExecutedRevision& executed : report.executed) {
    Json step = Json::object();
    step["direction"] = direction_name(executed.direction);
    step["revision"] = executed.revision;
    step["duration_ms"] = executed.duration.count();
    steps.push_back(std::move(step));
  }
  fields["steps"] = std::move(steps);
  fields["duration_ms"] = report.duration.count();
  fields["lock_waited_ms"] = report.lock_waited.count();
  fields["lock_retries"] = report.lock_retries;
  if (!report.ok()) {
    fields["failed"] = {
        {"revision", report.failed_revision}, {"line", report.failed_line}, {"statement", report.failed_statement}};
  }
  Json blockers = Json::array();
  for (const Blocker& blocker : report.blockers) {
    blockers.push_back({{"pid", blocker.pid},
                        {"application", blocker.application},
                        {"user", blocker.user},
                        {"client", blocker.client},
                        {"state", blocker.state},
                        {"since", blocker.since},
                        {"query", blocker.query}});
  }
  fields["blockers"] = std::move(blockers);
}

// A stamp changes rows and runs no revision.
std::string count_of_work(std::size_t count, Direction operation) {
  const std::string noun = operation == Direction::Stamp ? "row change" : "revision";
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// A purge deletes rows before the run stamps.
std::size_t amount_of_work(const ExecutionReport& report) {
  return report.executed.size() + (report.ok() ? report.purged_rows : 0);
}

// The state of the database after a failed run. Says so if it is unknown.
std::string state_after(const ExecutionReport& report, Direction operation) {
  const std::string count = count_of_work(report.executed.size(), operation);
  const std::string were = report.executed.size() == 1 ? " was" : " were";
  if (!report.current_heads) {
    return "The current revision of the database is unknown; " + count + " of this run" + were + " applied for certain. " +
           "Run `athanor current` once the database can be reached.";
  }
  std::string text =
      "The database is at " + join_revisions(*report.current_heads) + "; " + count + " of this run" + were + " applied";
  if (report.unfinished) {
    const bool down = report.unfinished->direction == Direction::Downgrade;
    text += std::string("; ") + (down ? "the downgrade of revision " : "revision ") + report.unfinished->revision +
            " is half-applied";
  }
  return text + ".";
}

// Reports the result of a run and returns its error.
Result<void> conclude(CommandContext& context, const Project& project, const ExecutionReport& report, Direction operation) {
  if (report.ok()) {
    const std::string heads = join_revisions(report.current_heads.value_or(std::vector<std::string>()));
    const std::string count = count_of_work(amount_of_work(report), operation);
    context.output().set_message(std::string(direction_name(operation)) + ": " + count + ", now at " + heads);
    context.output().note("Done: " + count + ", now at " + heads + " (" + duration_text(report.duration) + ").");
    return {};
  }
  if (!report.failed_statement.empty()) {
    context.output().note("Statement: " + report.failed_statement);
  }
  for (const Blocker& blocker : report.blockers) {
    context.output().note("Blocked by " + blocker_text(blocker));
  }
  context.output().note(state_after(report, operation));
  Error error = *report.error;
  const auto half = half_applied_revision(project, report.unfinished);
  if (report.current_heads) {
    context.output().fields()["unfinished"] = half_applied_json(half, report.unfinished);
  }
  if (half && report.failed_revision == half->parts.revision) {
    // Do not repeat the executor's hint: if the outcome of a statement is unknown, the longer one contains it.
    const bool repeats = half->parts.outcome_unknown && error.hint.find("athanor repair") != std::string::npos;
    error.hint = join_advice(repeats ? std::string() : std::move(error.hint), way_on(*half));
  }
  return fail(std::move(error));
}

// `ahead`: the database is ahead of the target, not at it.
Result<void> nothing_to_do(CommandContext& context, const std::vector<std::string>& current_heads, bool ahead) {
  context.output().set_message(ahead ? "nothing to do: the database is at " + join_revisions(current_heads) +
                                           ", ahead of the target"
                                     : "already at target " + join_revisions(current_heads));
  context.output().fields()["steps"] = Json::array();
  context.output().fields()["ahead"] = ahead;
  context.output().note("Nothing to do: the database is at " + join_revisions(current_heads) +
                        (ahead ? ", ahead of the target." : "."));
  return {};
}

std::unique_ptr<ProgressSink> progress_for(CommandContext& context) {
  return make_progress(context.output(), *context.outside().clock, context.outside().err_is_terminal,
                       context.outside().columns);
}

// --backup: a verified backup at exactly these rows, before anything is changed. `saved` is the one that an earlier attempt
// created.
Result<void> back_up_first(CommandContext& context, const Configuration& configuration, const Plan& plan,
                           std::optional<BackupRecord>& saved) {
  if (!context.arguments().has("--backup") || (saved && saved->revisions == plan.from)) {
    return {};
  }
  TRY_ASSIGN(BackupLocation place, open_backup_place(context, configuration, BackupAccess::Writing));
  place.job.target = plan.to;
  TRY_ASSIGN(saved, ensure_backup_here(context, place));
  context.output().fields()["backup"] = backup_json(*saved);
  context.output().note((saved->accepted ? "Backup accepted: " : "Backup taken and verified: ") + backup_text(*saved));
  return {};
}

constexpr std::size_t kHashDigits = 64;

Result<void> check_hash(const std::string& hash) {
  if (hash.size() == kHashDigits && hash.find_first_not_of("0123456789abcdef") == std::string::npos) {
    return {};
  }
  return fail(Error(ErrorCode::Usage, "--plan-hash takes the 64 hexadecimal digits of a plan's hash")
                  .advise("`athanor plan upgrade TARGET --show-sql` prints it"));
}

// --plan-hash: run exactly the reviewed plan, or nothing.
Result<void> require_reviewed(CommandContext& context, const Plan& plan) {
  const auto reviewed = context.arguments().value("--plan-hash");
  if (!reviewed || *reviewed == plan.hash) {
    return {};
  }
  context.output().fields()["plan_hash"] = plan.hash;
  return fail(
      Error(ErrorCode::StalePlan, "the plan is no longer the one given by --plan-hash; its hash is now " + plan.hash + " now")
          .advise("the database or a file has changed: review the new plan with `athanor plan --show-sql`"));
}

// Handles a database that is ahead of the files, as after a rollback to an older commit. Returns true if it may stay there,
// because every revision of the target is applied. For a downgrade from the ledger, adds the recorded texts to the project.
Result<bool> meet_ahead(CommandContext& context, Situation& situation, Direction direction,
                        const std::vector<std::string>& targets, const std::vector<std::string>& current_heads) {
  TRY(refuse_squashed_middle(situation.project, current_heads));
  TRY_ASSIGN(auto ahead, find_ahead(situation.database.migrator(), situation.project.graph, current_heads));
  if (!ahead) {
    TRY(require_known_heads(situation.project.graph, current_heads));
    return false;
  }
  if (direction == Direction::Downgrade && context.arguments().has("--from-ledger")) {
    context.output().warn("the database is " + describe(*ahead));
    TRY_ASSIGN(situation.project, complete_from_ledger(std::move(situation.project), std::move(ahead->revisions)));
    return false;
  }
  if (direction != Direction::Upgrade || !context.arguments().has("--accept-ahead")) {
    return fail(ahead_error(*ahead));
  }
  std::vector<std::string> wanted;
  // Resolve before adding recorded revisions, so that `head` means that of the files.
  for (const std::string& target : targets) {
    TRY_ASSIGN(const auto resolved, situation.project.graph.resolve(target, {}));
    wanted.insert(wanted.end(), resolved.begin(), resolved.end());
  }
  context.output().warn("the database is " + describe(*ahead));
  TRY_ASSIGN(situation.project, complete_from_ledger(std::move(situation.project), std::move(ahead->revisions)));
  TRY_ASSIGN(const auto applied, situation.project.graph.applied(current_heads));
  for (const std::string& id : wanted) {
    if (std::ranges::find(applied, id) == applied.end()) {
      return fail(Error(ErrorCode::AheadOfFiles, "the database is at " + join_revisions(current_heads) +
                                                     ", which does not include revision " + id + " of the files")
                      .advise("the histories have diverged: check out the commit that has both, or merge them"));
    }
  }
  return true;
}

Result<void> migrate(CommandContext& context, Direction direction, const std::vector<std::string>& targets) {
  TRY_ASSIGN(Situation situation, observe_situation(context, progress_for(context)));
  Migrator& migrator = situation.database.migrator();
  Observation observation = std::move(situation.observation);
  std::optional<BackupRecord> saved;
  for (int attempt = 1;; ++attempt) {
    TRY_ASSIGN(const bool accepted, meet_ahead(context, situation, direction, targets, observation.current_heads));
    if (accepted) {
      return nothing_to_do(context, observation.current_heads, true);
    }
    const RevisionGraph& graph = situation.project.graph;
    const RevisionSource& source = *situation.project.source;
    TRY(refuse_overlapping_rows(graph, observation.current_heads));
    TRY_ASSIGN(const Walk walk, make_walk(graph, direction, observation.current_heads, targets));
    for (const std::string& warning : walk.warnings) {
      context.output().warn(warning);
    }
    TRY(refuse_to_pass(situation.project, observation.unfinished, walk));
    if (walk.steps.empty()) {
      if (context.arguments().has("--verify")) {
        TRY(migrator.verify_checksums(graph, source, observation.current_heads));
      }
      return nothing_to_do(context, observation.current_heads, is_ahead(graph, direction, targets, observation.current_heads));
    }
    TRY_ASSIGN(const Plan plan, make_plan(graph, source, direction, observation.current_heads, targets));
    // Check everything that can refuse the run before the backup, which is expensive.
    TRY(require_reviewed(context, plan));
    TRY(migrator.verify_checksums(graph, source, observation.current_heads, &plan));
    TRY(back_up_first(context, situation.configuration, plan, saved));
    const ExecutionReport report = migrator.execute(plan, context.outside().stop);
    // Plan again only if nothing was applied yet: otherwise the report of this run must be printed.
    const bool stale = !report.ok() && report.error->code == ErrorCode::StalePlan && report.executed.empty();
    if (!stale || attempt == kStalePlanAttempts) {
      report_run(context, plan, report);
      return conclude(context, situation.project, report, direction);
    }
    TRY_ASSIGN(observation, migrator.observe());
    context.output().set_current(observation.current_heads);
  }
}

// What a script is made of.
struct OfflineProject {
  Configuration configuration;
  Project project;
  std::string range;
};

Result<OfflineProject> offline_project(CommandContext& context, Direction direction, std::string range) {
  if (direction != Direction::Downgrade || !context.arguments().has("--from-ledger")) {
    TRY_ASSIGN(Configuration configuration, load_settings(context));
    TRY_ASSIGN(Project project, open_project(context, configuration));
    return OfflineProject{std::move(configuration), std::move(project), std::move(range)};
  }
  // The texts are the database's, so it may as well say where it is.
  TRY_ASSIGN(Situation situation, observe_situation(context));
  const auto& heads = situation.observation.current_heads;
  TRY_ASSIGN(auto ahead, find_ahead(situation.database.migrator(), situation.project.graph, heads));
  if (ahead) {
    TRY_ASSIGN(situation.project, complete_from_ledger(std::move(situation.project), std::move(ahead->revisions)));
  }
  if (range.find(':') == std::string::npos && heads.size() == 1) {
    range = heads.front() + ":" + range;
  }
  return OfflineProject{std::move(situation.configuration), std::move(situation.project), std::move(range)};
}

Result<void> migrate_offline(CommandContext& context, Direction direction, const std::string& target) {
  TRY_ASSIGN(const OfflineProject offline, offline_project(context, direction, target));
  const auto& [configuration, project, range] = offline;
  TRY_ASSIGN(const Plan plan, make_offline_plan(project.graph, *project.source, direction, range));
  TRY(require_reviewed(context, plan));
  context.output().set_current(plan.from);
  context.output().fields()["plan_hash"] = plan.hash;
  for (const std::string& warning : plan.warnings) {
    context.output().warn(warning);
  }
  print_sql(context, render_offline(plan, offline_options(configuration)));
  return {};
}

Result<void> up_or_down(CommandContext& context, Direction direction) {
  const std::string& target = context.arguments().operands().front();
  if (const auto hash = context.arguments().value("--plan-hash")) {
    TRY(check_hash(*hash));
  }
  if (context.arguments().has("--sql")) {
    if (context.arguments().has("--backup")) {
      return fail(Error(ErrorCode::Usage, "--backup needs the database").advise("leave out --sql"));
    }
    if (context.arguments().has("--accept-ahead")) {
      return fail(Error(ErrorCode::Usage, "--accept-ahead needs the database").advise("leave out --sql"));
    }
    return migrate_offline(context, direction, target);
  }
  if (target.find(':') != std::string::npos) {
    return fail(Error(ErrorCode::RangeNotAllowed,
                      "the range '" + target + "' is only for --sql; otherwise the database determines the start")
                    .advise("give only the target, or add --sql"));
  }
  return migrate(context, direction, {target});
}

// "START:REV" as in Alembic's `stamp --sql`: one start for all targets.
struct OfflineStamp {
  std::string start;
  std::vector<std::string> targets;
};

Result<OfflineStamp> parse_offline_stamp(const std::vector<std::string>& operands) {
  OfflineStamp stamp;
  bool first = true;
  for (const std::string& operand : operands) {
    const std::size_t colon = operand.find(':');
    const std::string start = colon == std::string::npos ? std::string() : operand.substr(0, colon);
    if (!first && start != stamp.start) {
      return fail(Error(ErrorCode::Usage, "stamp --sql starts from one revision, not from several")
                      .advise("write the same START before every colon"));
    }
    first = false;
    stamp.start = start;
    stamp.targets.push_back(colon == std::string::npos ? operand : operand.substr(colon + 1));
  }
  return stamp;
}

Result<void> stamp_offline(CommandContext& context) {
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const Project project, open_project(context, configuration));
  TRY_ASSIGN(const OfflineStamp stamp, parse_offline_stamp(context.arguments().operands()));
  std::vector<std::string> current_heads;
  if (!stamp.start.empty()) {
    TRY_ASSIGN(current_heads, project.graph.resolve(stamp.start));
  }
  TRY_ASSIGN(const Plan plan, make_plan(project.graph, *project.source, Direction::Stamp, current_heads, stamp.targets));
  context.output().set_current(current_heads);
  print_sql(context, render_offline(plan, offline_options(configuration)));
  return {};
}

Result<void> purge_and_stamp(CommandContext& context) {
  TRY_ASSIGN(Situation situation, observe_situation(context, progress_for(context)));
  TRY_ASSIGN(const Plan plan, make_plan(situation.project.graph, *situation.project.source, Direction::Stamp, {},
                                        context.arguments().operands()));
  const ExecutionReport report = situation.database.migrator().purge_and_stamp(plan, context.outside().stop);
  report_run(context, plan, report);
  context.output().fields()["purged_rows"] = report.ok() ? report.purged_rows : 0;
  return conclude(context, situation.project, report, Direction::Stamp);
}

}  // namespace

Result<void> run_upgrade(CommandContext& context) {
  return up_or_down(context, Direction::Upgrade);
}

Result<void> run_downgrade(CommandContext& context) {
  return up_or_down(context, Direction::Downgrade);
}

Result<void> run_stamp(CommandContext& context) {
  const bool purge = context.arguments().has("--purge");
  if (context.arguments().has("--sql")) {
    if (purge) {
      return fail(Error(ErrorCode::Usage, "--purge needs the database").advise("leave out --sql"));
    }
    return stamp_offline(context);
  }
  return purge ? purge_and_stamp(context) : migrate(context, Direction::Stamp, context.arguments().operands());
}

Result<void> run_ensure_version(CommandContext& context) {
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  if (context.arguments().has("--sql")) {
    print_sql(context, render_version_table(offline_options(configuration)));
    return {};
  }
  TRY_ASSIGN(Database database, Database::connect(context, configuration, progress_for(context)));
  TRY(database.migrator().ensure_version(context.outside().stop));
  TRY_ASSIGN(const Observation observation, database.migrator().observe());
  context.output().set_current(observation.current_heads);
  context.output().set_message("version table and ledger exist");
  context.output().note("Version table and ledger exist.");
  return {};
}

}  // namespace athanor::cli
