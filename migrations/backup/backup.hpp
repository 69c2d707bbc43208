// Backups: a dump that is known to be good before anything is changed.
//
// ensure_backup() answers one question for whoever is about to migrate: is there a verified backup of this database as it is
// now? It accepts an existing one (same database, same revision rows, nothing applied or stamped since, young enough, checksum
// read again; or the one that an earlier attempt at the same migration took), or takes one: waits for its turn, checks free
// space, runs pg_dump on an exported snapshot and streams it into the store, reads it back from storage and decodes all of it,
// and only then publishes it under its name. What it returns is a value: the record says what was saved, of which moment, how
// large, how long it took, and where it is.
//
// Call it before Migrator::execute(). When it returns, its session is closed and pg_dump has ended, so nothing of it stands in
// the way of DDL. A plan made before stays valid as long as the revision rows do, which execute() checks under the lock;
// compare the record's rows with the plan's, and ask again when a stale plan is made anew. What the failure of a backup means
// is the caller's policy: here it is an error like any other.
//
// Nothing here reads the environment, knows libpq or Kubernetes: the composition root passes connection, variables and PATH in.
//
// Threads: blocks the calling thread, which also starts the programs: they die with it. Any number of databases at once, and
// the same one too: they take turns. Ownership: borrows everything; opens and closes one session of its own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/backup/backup_progress.hpp"
#include "migrations/backup/backup_record.hpp"
#include "migrations/backup/backup_settings.hpp"
#include "migrations/backup/backup_store.hpp"
#include "migrations/backup/child_connection.hpp"
#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/session/session.hpp"
#include "migrations/session/session_settings.hpp"

namespace athanor {

// Whose backup, how, and in which surroundings.
struct BackupJob {
  BackupSettings settings;
  std::string version_table = "alembic_version";
  std::string version_table_schema;
  std::string version_table_found;  // with its schema, quoted, as the server resolved it; empty: there is none
  std::string ledger_schema = "athanor";
  std::string role;  // SET ROLE for pg_dump too
  std::string actor;
  std::string run_id;  // new_run_id() when empty
  bool allow_session_pooler = false;

  // What it is for: the rows that the migration leads to, and the resource that declares it. Empty: for its own sake.
  std::optional<std::vector<std::string>> target;
  std::string resource;
  std::string resource_uid;
  // What an earlier attempt at the same migration took is good enough for this long, accept_max_age aside, as long as nothing
  // was applied since; 0: not at all.
  milliseconds retry_age{0};

  ConnectionKeywords connection;         // of the URL; the password is among them
  std::vector<std::string> environment;  // "NAME=value": what child processes may inherit
  std::vector<std::string> path;         // PATH, split: where programs are looked for
};

// Where a backup of this job would be accepted from or written to, and by whom it is followed.
struct BackupTools {
  BackupStore& store;
  SessionFactory& sessions;
  Clock& clock;
  BackupProgress& progress;
  StopToken stop;
};

// Accepts one (settings.accept_max_age, retry_age) or takes one; then deletes what retention lets go. Never returns a backup
// that is not verified. BackupRefused when it cannot work as things are, LockHeld when another dump does not end, Interrupted
// after a stop, BackupCorrupt when what was written cannot be read back, else BackupFailed: in every case nothing was published
// or changed.
[[nodiscard]] Result<BackupRecord> ensure_backup(const BackupTools& tools, const BackupJob& job);

// Takes one, whatever there is.
[[nodiscard]] Result<BackupRecord> take_backup(const BackupTools& tools, const BackupJob& job);

// Reads the whole dump: checksum and decoding. Needs no database; pg_restore of at least the recorded version is looked for.
[[nodiscard]] Result<BackupRecord> verify_backup(BackupStore& store, const std::string& reference, const BackupJob& job,
                                                 BackupProgress& progress, Clock& clock, const StopToken& stop);

// Deletes what retention lets go, of the job's database; answers what was deleted, or would be with `dry_run`. What stays is
// read first (proven_expiry).
[[nodiscard]] Result<std::vector<BackupRecord>> prune_backups(const BackupTools& tools, const BackupJob& job, bool dry_run);

}  // namespace athanor
