// The verbs backup, backups, verify-backup, restore and prune.
#include <algorithm>
#include <charconv>
#include <utility>

#include "migrations/backup/catalogue.hpp"
#include "migrations/backup/restore.hpp"
#include "migrations/backup/retention.hpp"
#include "migrations/backup/server_names.hpp"
#include "migrations/cli/backup_lines.hpp"
#include "migrations/cli/backup_location.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"

namespace athanor::cli {
namespace {

std::unique_ptr<BackupProgress> lines_for(CommandContext& context) {
  return make_backup_lines(context.output(), *context.outside().clock, context.outside().err_is_terminal);
}

Result<BackupLocation> place_for(CommandContext& context, BackupAccess purpose, const std::string& reference = {}) {
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  return open_backup_place(context, std::move(configuration), purpose, reference);
}

// Lists the backups that the database records, including deleted ones.
Result<void> list_catalogue(CommandContext& context, const BackupLocation& place) {
  TRY_ASSIGN(const auto factory, connect_to(context, place));
  TRY_ASSIGN(const auto session, factory->open());
  TRY(use_server_names(*session));
  TRY(check_catalogue(*session, place.configuration.ledger_schema));
  TRY_ASSIGN(const auto rows, BackupCatalogue(place.configuration.ledger_schema).rows(*session));
  Json list = Json::array();
  for (const BackupCatalogue::Row& row : rows) {
    list.push_back({{"id", row.id},
                    {"location", row.location},
                    {"version_table", row.version_table},
                    {"revisions", row.revisions},
                    {"size", row.size},
                    {"sha256", row.sha256},
                    {"started_at", row.started_at},
                    {"verified_at", row.verified_at},
                    {"deleted_at", row.deleted_at.empty() ? Json(nullptr) : Json(row.deleted_at)}});
    context.output().line(row.id + "  " + row.started_at + "  " + size_text(row.size) + "  " + row.location +
                          (row.deleted_at.empty() ? "" : "  (deleted " + row.deleted_at + ")"));
  }
  context.output().set_message(std::to_string(rows.size()) + (rows.size() == 1 ? " backup" : " backups"));
  context.output().fields()["catalogue"] = std::move(list);
  return {};
}

void list_folder(CommandContext& context, const BackupList& list, WallTime now) {
  Output& output = context.output();
  Json json = Json::array();
  for (const StoredBackup& backup : list.backups) {
    const BackupRecord& record = backup.record;
    Json entry = backup_json(record);
    entry["complete"] = backup.complete;
    entry["age_s"] = record.age(now).count();
    json.push_back(std::move(entry));
    output.line(record.id + "  " + format_iso8601(record.started) + "  " + record.database.name + "  " +
                join_revisions(record.revisions) + "  " + size_text(record.size) + "  " + record.file +
                (backup.complete ? "" : "  (the dump is missing or has another size)"));
  }
  for (const std::string& warning : list.warnings) {
    output.warn(warning);
  }
  const std::size_t count = list.backups.size();
  output.set_message(count == 1 ? "1 backup" : std::to_string(count) + " backups");
  output.fields()["backups"] = std::move(json);
  if (count == 0) {
    output.note("No backups.");
  }
}

// The database that a restore with --replace would replace.
Result<std::string> own_database(CommandContext& context, const BackupLocation& place) {
  for (const auto& [name, value] : place.job.connection) {
    if (name == "dbname" && !value.empty()) {
      return value;
    }
  }
  if (auto name = context.outside().variable("PGDATABASE"); name && !name->empty()) {
    return std::move(*name);
  }
  return fail(Error(ErrorCode::Usage, "the database URL does not name the database to replace")
                  .advise("add the database name to the URL"));
}

Result<RestoreJob> restore_job(CommandContext& context, const BackupLocation& place) {
  const Arguments& arguments = context.arguments();
  RestoreJob job;
  job.reference = arguments.operands().front();
  job.backup = place.job;
  job.replace = arguments.has("--replace");
  job.drop_previous = arguments.has("--drop-previous");
  const auto into = arguments.value("--into");
  if (into.has_value() == job.replace) {
    return fail(Error(ErrorCode::Usage, "no destination given: a new database, or the one of DATABASE_URL")
                    .advise("use --into NAME, or --replace --confirm NAME"));
  }
  if (job.replace) {
    TRY_ASSIGN(job.database, own_database(context, place));
    if (arguments.value("--confirm") != job.database) {
      return fail(Error(ErrorCode::PolicyRefused, "replacing a database needs its name as confirmation")
                      .advise("add --confirm " + job.database));
    }
  } else {
    job.database = *into;
    if (job.database.empty() || job.database.size() > 63) {
      return fail(ErrorCode::Usage, "--into needs the name of a database, of at most 63 bytes");
    }
  }
  if (const auto text = arguments.value("--jobs")) {
    const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), job.jobs);
    if (problem != std::errc{} || end != text->data() + text->size() || job.jobs < 1 || job.jobs > 256) {
      return fail(ErrorCode::Usage, "--jobs needs a number from 1 to 256, not '" + *text + "'");
    }
  }
  return job;
}

}  // namespace

Result<void> run_backup(CommandContext& context) {
  TRY_ASSIGN(BackupLocation place, place_for(context, BackupAccess::Writing));
  if (!context.arguments().has("--accept-max-age")) {
    place.job.settings.accept_max_age = milliseconds(0);  // an explicit request always creates a new backup
  }
  TRY_ASSIGN(const BackupRecord record, ensure_backup_here(context, place));
  Output& output = context.output();
  output.set_current(record.revisions);
  output.set_message((record.accepted ? "accepted " : "backup taken and verified: ") + backup_text(record));
  output.fields()["backup"] = backup_json(record);
  output.line(record.location);
  output.note((record.accepted ? "Accepted " : "Taken and verified: ") + backup_text(record) + ", " +
              duration_text(record.duration) + ".");
  return {};
}

Result<void> run_backups(CommandContext& context) {
  const bool catalogue = context.arguments().has("--catalogue");
  TRY_ASSIGN(const BackupLocation place, place_for(context, catalogue ? BackupAccess::Catalogue : BackupAccess::Reading));
  if (catalogue) {
    return list_catalogue(context, place);
  }
  TRY_ASSIGN(const BackupList list, list_backups(*place.store));
  list_folder(context, list, context.outside().clock->wall_now());
  return {};
}

Result<void> run_verify_backup(CommandContext& context) {
  const std::string& reference = context.arguments().operands().front();
  TRY_ASSIGN(const BackupLocation place, place_for(context, BackupAccess::Reading, reference));
  const auto lines = lines_for(context);
  TRY_ASSIGN(const BackupRecord record,
             verify_backup(*place.store, reference, place.job, *lines, *context.outside().clock, context.outside().stop));
  context.output().set_message("whole: " + backup_text(record));
  context.output().fields()["backup"] = backup_json(record);
  context.output().note("Whole: checksum and every block of " + backup_text(record) + ".");
  return {};
}

Result<void> run_restore(CommandContext& context) {
  TRY_ASSIGN(const BackupLocation place, place_for(context, BackupAccess::Reading, context.arguments().operands().front()));
  TRY_ASSIGN(const RestoreJob job, restore_job(context, place));
  const auto lines = lines_for(context);
  const ConnectTo connect = [&](const std::string& database) { return connect_to(context, place, database); };
  TRY_ASSIGN(const RestoreReport report,
             restore_backup({*place.store, connect, *context.outside().clock, *lines, context.outside().stop}, job));
  Output& output = context.output();
  output.set_current(report.record.revisions);
  output.fields()["database"] = report.database;
  output.fields()["previous"] = report.previous.empty() ? Json(nullptr) : Json(report.previous);
  output.fields()["duration_ms"] = report.duration.count();
  output.fields()["backup"] = backup_json(report.record);
  const std::string text = "restored '" + report.database + "' to " + join_revisions(report.record.revisions) +
                           (report.previous.empty() ? "" : "; the old database is now '" + report.previous + "'");
  output.set_message(text);
  output.note("Done: " + text + " (" + duration_text(report.duration) + ").");
  return {};
}

Result<void> run_prune(CommandContext& context) {
  TRY_ASSIGN(const BackupLocation place, place_for(context, BackupAccess::Reading));
  // In the configuration 0 means no limit; on the command line it can only be a mistake.
  if (context.arguments().has("--max-age") && place.job.settings.retention.max_age.count() == 0) {
    return fail(Error(ErrorCode::Usage, "--max-age must not be 0: every backup is older than that")
                    .advise("give a longer duration, such as 30d, or --keep N"));
  }
  TRY_ASSIGN(const auto sessions, connect_to(context, place));
  const auto lines = lines_for(context);
  const bool dry_run = context.arguments().has("--dry-run");
  TRY_ASSIGN(
      const auto deleted,
      prune_backups({*place.store, *sessions, *context.outside().clock, *lines, context.outside().stop}, place.job, dry_run));
  Json list = Json::array();
  for (const BackupRecord& record : deleted) {
    list.push_back(backup_json(record));
    context.output().line((dry_run ? "would delete " : "deleted ") + backup_text(record));
  }
  const std::string count = deleted.size() == 1 ? "1 backup" : std::to_string(deleted.size()) + " backups";
  context.output().fields()["deleted"] = std::move(list);
  context.output().fields()["dry_run"] = dry_run;
  context.output().set_message(count + (dry_run ? " would be deleted" : " deleted"));
  context.output().note(count + (dry_run ? " would be deleted." : " deleted."));
  return {};
}

}  // namespace athanor::cli
