// Backups: a verified dump before anything is changed.
//
// ensure_backup() returns a verified backup of the database in its current state. It accepts an existing backup (same database,
// same current heads, nothing applied or stamped since, young enough, checksum verified again; or the one that an earlier
// attempt at the same migration took). Otherwise it takes a new one: waits for its turn, checks free space, runs pg_dump on an
// exported snapshot, streams it into the store, reads it back from storage and decodes all of it, and only then publishes it
// under its name. The returned record says what was saved, from which moment, how large it is, how long it took and where it
// is.
//
// Call it before Migrator::execute(). When it returns, its session is closed and pg_dump has ended, so nothing of it blocks
// DDL. A plan made before stays valid while the current heads are unchanged, which execute() checks under the lock. Compare the
// record's heads with the plan's, and call ensure_backup() again when a stale plan is remade. A failed backup is an ordinary
// error; the caller's policy decides what follows.
//
// This room does not read the environment and does not know libpq or Kubernetes: the composition root passes in connection,
// variables and PATH.
//
// Threads: blocks the calling thread, which also starts the programs; they die with it. Databases can be backed up in parallel;
// backups of one database take turns. Ownership: borrows everything; opens and closes its own session.
#pragma once

#include <cstdint>
#include <functional>
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

// The database to back up, how, and in which environment.
struct BackupJob {
  BackupSettings settings;
  std::string version_table = "alembic_version";
  std::string version_table_schema;
  std::string version_table_found;  // qualified and quoted, as the server resolved it; empty: no such table
  std::string ledger_schema = "athanor";
  std::string role;  // SET ROLE for pg_dump too
  std::string actor;
  std::string run_id;  // new_run_id() when empty
  bool allow_session_pooler = false;

  // The purpose: the heads that the migration leads to, and the resource that declares it. Empty: not for a migration.
  std::optional<std::vector<std::string>> target;
  std::string resource;
  std::string resource_uid;
  // A backup from an earlier attempt at the same migration is accepted for this long, regardless of accept_max_age, if nothing
  // was applied since. 0: never.
  milliseconds retry_age{0};

  // Called with the size of the dump while it grows. Return false to abandon the dump for lack of room. Empty: no limit.
  std::function<bool(std::uint64_t bytes)> has_room = {};

  ConnectionKeywords connection;  // of the URL, including the password
  // Called right before pg_dump starts, for a password that is valid for minutes only: waiting for another dump may take
  // longer. It replaces the password of `connection`. Empty: that one is used.
  std::function<Result<std::string>()> password = {};
  std::vector<std::string> environment;  // "NAME=value": what child processes may inherit
  std::vector<std::string> path;         // PATH, split: where to search for programs
};

// The store and services that a job uses.
struct BackupTools {
  BackupStore& store;
  SessionFactory& sessions;
  Clock& clock;
  BackupProgress& progress;
  StopToken stop;
};

// Accepts a backup (settings.accept_max_age, retry_age) or takes one; then deletes what retention allows. Never returns an
// unverified backup. Errors: BackupRefused when it cannot work with this setup; LockHeld when another dump does not end in
// time; Interrupted on a stop request; BackupCorrupt when the written dump cannot be read back; BackupFailed otherwise. After
// an error nothing was published or changed.
[[nodiscard]] Result<BackupRecord> ensure_backup(const BackupTools& tools, const BackupJob& job);

// Takes a new backup, even if an acceptable one exists.
[[nodiscard]] Result<BackupRecord> take_backup(const BackupTools& tools, const BackupJob& job);

// The newest complete and verified backup of this database and version table, at exactly the heads it has now; does not read
// the dump. BackupNotFound if there is none.
[[nodiscard]] Result<BackupRecord> newest_backup(const BackupTools& tools, const BackupJob& job);

// Reads the whole dump: compares the checksum and decodes it. Needs no database, but a pg_restore of at least the recorded
// version.
[[nodiscard]] Result<BackupRecord> verify_backup(BackupStore& store, const std::string& reference, const BackupJob& job,
                                                 BackupProgress& progress, Clock& clock, const StopToken& stop);

// Deletes the backups of the job's database that retention no longer keeps, and returns them; with `dry_run`, only returns
// them. Reads a backup that stays first (proven_expiry).
[[nodiscard]] Result<std::vector<BackupRecord>> prune_backups(const BackupTools& tools, const BackupJob& job, bool dry_run);

}  // namespace athanor
