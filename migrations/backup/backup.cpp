#include "migrations/backup/backup.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "migrations/backup/backup_run.hpp"
#include "migrations/backup/catalogue.hpp"
#include "migrations/backup/client_programs.hpp"
#include "migrations/backup/database_facts.hpp"
#include "migrations/backup/dump_content.hpp"
#include "migrations/backup/dump_slot.hpp"
#include "migrations/backup/retention.hpp"
#include "migrations/backup/server_names.hpp"
#include "migrations/base/ids.hpp"
#include "migrations/session/pooler.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr milliseconds kAnyAge = std::chrono::hours(24 * 365 * 100);  // that clocks can still count with

std::string version_table_of(const BackupJob& job) {
  return qualified_name(job.version_table_schema, job.version_table);
}

BackupSubject subject_of(const BackupTools& tools, const BackupJob& job, const DatabaseFacts& facts) {
  return {facts.identity, tools.sessions.describe(), job.resource, job.resource_uid};
}

// An ordinary table only: reading a view would run its owner's code with our rights.
Result<bool> is_table(Session& session, const std::string& table) {
  TRY_ASSIGN(const Rows rows,
             session.query("SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'r')", {table}));
  return rows.text(0, 0) == "t";
}

// A condition on a time column. The age is subtracted from the server's clock, which wrote the ledger's rows; ours may differ.
std::string since(const BackupTools& tools, WallTime moment) {
  const auto age = std::chrono::duration_cast<milliseconds>(tools.clock.wall_now() - moment);
  return " >= clock_timestamp() - bigint '" + std::to_string(age.count()) + "' * interval '1 millisecond'";
}

// Whether a revision was applied or stamped since the backup. The same heads do not prove otherwise: the database may have left
// them and come back.
Result<bool> has_moved_since(const BackupTools& tools, const BackupJob& job, Session& session, const BackupRecord& backup) {
  const std::string history = qualified_name(job.ledger_schema, "history");
  TRY_ASSIGN(const bool has_table, is_table(session, history));
  if (!has_table) {
    return false;
  }
  // The ledger's ids are exact. The clock is the fallback for backups that were taken without a ledger.
  const std::string later =
      backup.ledger_id ? "id > " + std::to_string(*backup.ledger_id) : "started_at" + since(tools, backup.started);
  TRY_ASSIGN(const Rows moved, session.query("SELECT EXISTS (SELECT FROM " + history +
                                             " WHERE outcome IN ('applied', 'stamped') AND " + later + ")"));
  return moved.text(0, 0) == "t";
}

// Like has_moved_since(), but a revision that ran in part counts too. Two attempts at one migration share their backup, so they
// do not use this check.
Result<bool> has_begun_since(const BackupTools& tools, const BackupJob& job, Session& session, const BackupRecord& backup) {
  TRY_ASSIGN(const bool moved, has_moved_since(tools, job, session, backup));
  const std::string step = qualified_name(job.ledger_schema, "step");
  TRY_ASSIGN(const bool has_table, is_table(session, step));
  if (moved || !has_table) {
    return moved;
  }
  TRY_ASSIGN(const Rows begun,
             session.query("SELECT EXISTS (SELECT FROM " + step + " WHERE updated_at" + since(tools, backup.started) + ")"));
  return begun.text(0, 0) == "t";
}

// A backup that is young enough or from an earlier attempt. Its checksum is not verified yet.
Result<std::optional<BackupRecord>> find_acceptable(const BackupTools& tools, const BackupJob& job, Session& session,
                                                    const DatabaseFacts& facts) {
  const milliseconds max_age = job.settings.accept_max_age;
  // No backup can be accepted: do not list the store.
  if (max_age.count() <= 0 && job.retry_age.count() <= 0) {
    return std::nullopt;
  }
  BackupNeed need{subject_of(tools, job, facts), version_table_of(job), {}, job.target};
  TRY_ASSIGN(need.revisions, read_revisions(session, job.version_table_found));
  TRY_ASSIGN(const BackupList list, list_backups(tools.store));
  const WallTime now = tools.clock.wall_now();
  if (max_age.count() > 0) {
    if (const BackupRecord* young = newest_acceptable(list.backups, need, max_age, now)) {
      TRY_ASSIGN(const bool moved, has_begun_since(tools, job, session, *young));
      if (!moved) {
        return *young;
      }
    }
  }
  const BackupRecord* earlier = of_earlier_attempt(list.backups, need, job.retry_age, now);
  if (earlier == nullptr) {
    return std::nullopt;
  }
  TRY_ASSIGN(const bool moved, has_moved_since(tools, job, session, *earlier));
  return moved ? std::nullopt : std::optional(*earlier);
}

// An acceptable backup whose dump still has the recorded checksum.
Result<std::optional<BackupRecord>> accept_existing(const BackupTools& tools, const BackupJob& job, Session& session,
                                                    const DatabaseFacts& facts) {
  TRY_ASSIGN(auto found, find_acceptable(tools, job, session, facts));
  if (!found) {
    return std::nullopt;
  }
  tools.progress.stage(BackupStage::Verifying, found->file);
  TRY_ASSIGN(const auto reader, tools.store.open(found->file));
  TRY_ASSIGN(const DumpContent content, read_content(*reader, tools.stop));
  if (auto same = require_same(content, {found->sha256, found->size}, found->location); !same) {
    // A corrupt backup must not stop the migration: a new one replaces it.
    tools.progress.warning(same.error().describe() + "; a new backup is taken");
    return std::nullopt;
  }
  found->accepted = true;
  return found;
}

// `known`: the id of a backup that was verified just now, so that it is not read again; may be empty.
Result<std::vector<BackupRecord>> prune(const BackupTools& tools, const BackupJob& job, Session* session,
                                        const DatabaseFacts& facts, const std::string& known, bool dry_run) {
  std::vector<BackupRecord> deleted;
  TRY_ASSIGN(BackupList list, list_backups(tools.store));
  TRY_ASSIGN(ProvenExpiry expiry, proven_expiry(tools.store, std::move(list.backups), subject_of(tools, job, facts),
                                                job.settings.retention, tools.clock.wall_now(), known, tools.stop));
  for (const Error& damage : expiry.damaged) {
    tools.progress.warning(damage.describe() + "; it is not counted as a backup to keep");
  }
  const BackupCatalogue catalogue(job.ledger_schema);
  for (BackupRecord& record : expiry.expired) {
    // Delete the files before marking the row: a marked row with existing files would hide a backup.
    if (!dry_run) {
      if (auto gone = delete_backup(tools.store, record); !gone) {
        tools.progress.warning(gone.error().describe());
        continue;
      }
      if (session != nullptr) {
        [[maybe_unused]] const auto marked = catalogue.mark_deleted(*session, record.id);
      }
    }
    deleted.push_back(std::move(record));
  }
  return deleted;
}

// Runs after the backup is published: failures become warnings, because the backup itself is good.
void record_and_prune(const BackupTools& tools, const BackupJob& job, std::unique_ptr<Session>& session,
                      const DatabaseFacts& facts, const BackupRecord& record) {
  // Dumping and verifying may take hours; the idle session may be gone by now.
  if (!session->alive()) {
    if (auto again = tools.sessions.open(); again) {
      session = std::move(*again);
      if (!use_server_names(*session)) {
        return;
      }
    }
  }
  // A standby cannot record backups; they are complete without a row.
  bool writable = session->alive() && !facts.standby;
  if (writable) {
    auto recorded = check_catalogue(*session, job.ledger_schema);
    writable = recorded.has_value();
    if (writable) {
      recorded = BackupCatalogue(job.ledger_schema).record(*session, record);
    }
    if (!recorded) {
      tools.progress.warning("the backup is valid, but could not be recorded in the catalogue of the database: " +
                             recorded.error().describe());
    }
  }
  if (!job.settings.retention.unlimited()) {
    tools.progress.stage(BackupStage::Pruning, tools.store.describe());
    const auto pruned = prune(tools, job, writable ? session.get() : nullptr, facts, record.id, false);
    if (!pruned) {
      tools.progress.warning("could not delete old backups: " + pruned.error().describe());
    }
  }
}

Result<BackupRecord> ensure(const BackupTools& tools, BackupJob job) {
  if (job.run_id.empty()) {
    job.run_id = new_run_id();
  }
  TRY_ASSIGN(std::unique_ptr<Session> session, tools.sessions.open());
  // The advisory lock of the dump slot and the exported snapshot both need one backend for the whole backup.
  TRY(refuse_pooler(*session, job.allow_session_pooler));
  TRY_ASSIGN(job.version_table_found, use_server_names(*session, version_table_of(job)));
  TRY_ASSIGN(const DatabaseFacts facts, read_facts(*session));
  TRY_ASSIGN(auto existing, accept_existing(tools, job, *session, facts));
  if (existing) {
    return std::move(*existing);
  }
  const ProgramSearch search{job.settings.programs, job.path, kInstalledPrograms, plain_environment(job.environment)};
  // Find the programs before waiting for a turn: a missing pg_dump should fail immediately.
  TRY_ASSIGN(const ClientPrograms programs, find_programs(search, session->server_version() / 10'000, tools.stop));
  TRY_ASSIGN(const milliseconds waited,
             DumpSlot::acquire(*session, tools.clock, tools.stop, job.settings.wait, tools.progress));
  if (waited.count() > 0) {
    TRY_ASSIGN(existing, accept_existing(tools, job, *session, facts));  // the dump we waited for may be acceptable
    if (existing) {
      return std::move(*existing);
    }
  }
  TRY_ASSIGN(BackupRecord record, make_dump(tools, job, programs, *session, facts));
  record_and_prune(tools, job, session, facts, record);
  DumpSlot::release(*session);
  return record;
}

}  // namespace

Result<BackupRecord> ensure_backup(const BackupTools& tools, const BackupJob& job) {
  return ensure(tools, job);
}

Result<BackupRecord> take_backup(const BackupTools& tools, const BackupJob& job) {
  BackupJob always = job;
  always.settings.accept_max_age = milliseconds(0);
  always.retry_age = milliseconds(0);
  return ensure(tools, std::move(always));
}

Result<BackupRecord> newest_backup(const BackupTools& tools, const BackupJob& job) {
  TRY_ASSIGN(const std::unique_ptr<Session> session, tools.sessions.open());
  TRY_ASSIGN(const std::string version_table, use_server_names(*session, version_table_of(job)));
  TRY_ASSIGN(const DatabaseFacts facts, read_facts(*session));
  BackupNeed need{subject_of(tools, job, facts), version_table_of(job), {}, {}};
  TRY_ASSIGN(need.revisions, read_revisions(*session, version_table));
  TRY_ASSIGN(const BackupList list, list_backups(tools.store));
  const BackupRecord* const newest = newest_acceptable(list.backups, need, kAnyAge, tools.clock.wall_now());
  if (newest == nullptr) {
    std::string rows;
    for (const std::string& row : need.revisions) {
      rows += (rows.empty() ? "" : ", ") + row;
    }
    return fail(Error(ErrorCode::BackupNotFound, "there is no verified backup of this database at " +
                                                     (rows.empty() ? std::string("its base") : "revision " + rows))
                    .at(tools.store.describe())
                    .advise("take one: athanor backup"));
  }
  return *newest;
}

Result<BackupRecord> verify_backup(BackupStore& store, const std::string& reference, const BackupJob& job,
                                   BackupProgress& progress, Clock& clock, const StopToken& stop) {
  TRY_ASSIGN(StoredBackup found, find_backup(store, reference));
  BackupRecord& record = found.record;
  const ProgramSearch search{job.settings.programs, job.path, kInstalledPrograms, plain_environment(job.environment)};
  // An archive is readable by its own version and all newer ones.
  TRY_ASSIGN(const ClientPrograms programs, find_programs(search, std::max(parse_major(record.client_version), 1), stop));
  progress.stage(BackupStage::Verifying, record.file);
  TRY_ASSIGN(const auto reader, store.open(record.file));
  const auto start = clock.steady_now();
  const auto count = [&](std::uint64_t done) {
    progress.bytes(done, record.size, std::chrono::duration_cast<milliseconds>(clock.steady_now() - start));
  };
  TRY(verify_dump(*reader, {record.sha256, record.size}, programs, job.environment, record.location, count, stop));
  record.verified = clock.wall_now();
  return std::move(record);
}

Result<std::vector<BackupRecord>> prune_backups(const BackupTools& tools, const BackupJob& job, bool dry_run) {
  if (job.settings.retention.unlimited()) {
    return fail(Error(ErrorCode::Usage, "no retention is set")
                    .advise("give --keep N or --max-age DURATION, or set backup.keep or backup.max_age in athanor.yaml"));
  }
  TRY_ASSIGN(const std::unique_ptr<Session> session, tools.sessions.open());
  TRY(use_server_names(*session));
  TRY_ASSIGN(const DatabaseFacts facts, read_facts(*session));
  if (!dry_run) {
    TRY(tools.store.clean(tools.clock.wall_now()));
  }
  const bool writable = !facts.standby && check_catalogue(*session, job.ledger_schema);
  return prune(tools, job, writable ? session.get() : nullptr, facts, {}, dry_run);
}

}  // namespace athanor
