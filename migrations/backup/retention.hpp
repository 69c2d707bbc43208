// Decides which backups exist for a database and which may be deleted.
//
// Only files with a manifest of ours are considered, and only backups of the same database. Cluster and OID do not suffice to
// identify it, because a physical copy of a server has both. So a backup that a resource requested belongs to that resource
// (and, by uid or place, to the same database); any other belongs to the place it was taken from: host, port and name. A
// failover behind the same name, or under the same resource, changes nothing. In other cases old backups are kept rather than
// deleted.
//
// Retention counts restore points. All dumps of one migration, including those of retries, form one: only the first attempt's
// dump contains what the migration has destroyed since. Two dumps before a migration belong together if the second leads to, or
// starts from, the same heads as the one before it. The newest restore point is kept whole, and so is the newest verified dump.
// docs/adr/0012 explains why.
//
// Threads: the caller's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/backup/backup_record.hpp"
#include "migrations/backup/backup_settings.hpp"
#include "migrations/backup/backup_store.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

struct StoredBackup {
  BackupRecord record;
  bool complete = false;  // the dump exists and has the recorded size
};

struct BackupList {
  std::vector<StoredBackup> backups;  // newest first
  std::vector<std::string> warnings;  // manifests that cannot be read
};
// Reads every manifest of the store. Unreadable ones become warnings.
[[nodiscard]] Result<BackupList> list_backups(BackupStore& store);

// Finds by file name, run id or a unique prefix of the run id. Errors: BackupNotFound; Usage when several match.
[[nodiscard]] Result<StoredBackup> find_backup(BackupStore& store, const std::string& reference);

// The database whose backups are considered.
struct BackupSubject {
  DatabaseIdentity database;
  std::string place;         // "db.example.org:5432/shop"
  std::string resource;      // empty: not requested by a resource
  std::string resource_uid;  // empty when resources have no uid

  // Whether the record is a backup of this database.
  [[nodiscard]] bool owns(const BackupRecord& record) const;
};

// The current state of the database that needs a backup.
struct BackupNeed {
  BackupSubject subject;
  std::string version_table;
  std::vector<std::string> revisions;
  std::optional<std::vector<std::string>> target;  // of the migration about to run
};

// The newest complete and verified backup of this database, from this place, with this version table and exactly these heads,
// not older than `max_age`; null when there is none.
[[nodiscard]] const BackupRecord* newest_acceptable(const std::vector<StoredBackup>& backups, const BackupNeed& need,
                                                    milliseconds max_age, WallTime now);

// The same, but only if an earlier attempt at this migration took it and no other migration of this version table was backed up
// since.
[[nodiscard]] const BackupRecord* of_earlier_attempt(const std::vector<StoredBackup>& backups, const BackupNeed& need,
                                                     milliseconds max_age, WallTime now);

// The backups that retention allows to delete, oldest first.
[[nodiscard]] std::vector<BackupRecord> expired_backups(const std::vector<StoredBackup>& backups, const BackupSubject& subject,
                                                        const BackupRetention& retention, WallTime now);

// Like expired_backups(), but first reads the newest good backup that stays. If its bytes differ from the manifest, it counts
// as broken and the decision is repeated, until an intact one stays. Otherwise the last restorable dump could be deleted in
// favour of a corrupt one. `known` is the id of a backup verified just now; may be empty.
struct ProvenExpiry {
  std::vector<BackupRecord> expired;  // oldest first
  std::vector<Error> damaged;         // corrupt dumps that were found
};
// Errors: Interrupted after a stop.
[[nodiscard]] Result<ProvenExpiry> proven_expiry(BackupStore& store, std::vector<StoredBackup> backups,
                                                 const BackupSubject& subject, const BackupRetention& retention, WallTime now,
                                                 const std::string& known, const StopToken& stop);

// Deletes the dump first, then the manifest: a manifest alone is still recognised as ours.
[[nodiscard]] Result<void> delete_backup(BackupStore& store, const BackupRecord& record);

}  // namespace athanor
