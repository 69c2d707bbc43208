// Which backups there are, and which may go.
//
// Only what has a manifest of ours is ever touched, only backups of the same database (cluster and oid, not name), and never
// the newest verified one.
//
// Threads: the caller's.
#pragma once

#include <string>
#include <vector>

#include "migrations/backup/backup_record.hpp"
#include "migrations/backup/backup_store.hpp"
#include "migrations/revision/backup_settings.hpp"

namespace athanor {

struct StoredBackup {
  BackupRecord record;
  bool complete = false;  // the dump is there and has the recorded size
};

struct BackupList {
  std::vector<StoredBackup> backups;  // newest first
  std::vector<std::string> warnings;  // manifests that cannot be read
};
[[nodiscard]] Result<BackupList> list_backups(BackupStore& store);

// By file name, run id, or a unique prefix of the run id. BackupNotFound, or Usage when several begin so.
[[nodiscard]] Result<StoredBackup> find_backup(BackupStore& store, const std::string& reference);

// The newest complete and verified backup of this database and version table with exactly these rows, not older than `max_age`.
[[nodiscard]] const BackupRecord* newest_acceptable(const std::vector<StoredBackup>& backups, const DatabaseIdentity& database,
                                                    const std::string& version_table, const std::vector<std::string>& revisions,
                                                    milliseconds max_age, WallTime now);

// What retention lets go, oldest first.
[[nodiscard]] std::vector<BackupRecord> expired_backups(const std::vector<StoredBackup>& backups,
                                                        const DatabaseIdentity& database, const BackupRetention& retention,
                                                        WallTime now);

// The dump first, then its manifest: a manifest alone is still known as ours.
[[nodiscard]] Result<void> delete_backup(BackupStore& store, const BackupRecord& record);

}  // namespace athanor
