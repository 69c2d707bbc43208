// Which backups there are, and which may go.
//
// Only what has a manifest of ours is ever touched, and only backups of the same database. That is more than cluster and oid: a
// physical copy of a server has both. So a backup of a resource is the same resource's (and, told by its uid or by the place,
// of the same database), any other is known by the place it was taken from: host, port and name. A failover behind one name, or
// under a resource that stays, changes nothing; else old backups are left alone rather than deleted.
//
// What counts is restore points. All dumps of one migration, however often it was tried again, are one: the dump of the first
// attempt is the only one that holds what the migration has destroyed meanwhile. Two dumps before a migration belong together
// when the second leads to the same rows, or begins at the same rows, as the one before it. The newest restore point stays
// whole, and the newest verified dump in any case. docs/adr/0012 has the reasons.
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
  bool complete = false;  // the dump is there and has the recorded size
};

struct BackupList {
  std::vector<StoredBackup> backups;  // newest first
  std::vector<std::string> warnings;  // manifests that cannot be read
};
[[nodiscard]] Result<BackupList> list_backups(BackupStore& store);

// By file name, run id, or a unique prefix of the run id. BackupNotFound, or Usage when several begin so.
[[nodiscard]] Result<StoredBackup> find_backup(BackupStore& store, const std::string& reference);

// Whose backups are looked for.
struct BackupSubject {
  DatabaseIdentity database;
  std::string place;         // "db.example.org:5432/shop"
  std::string resource;      // empty: of none
  std::string resource_uid;  // empty where resources have none

  [[nodiscard]] bool owns(const BackupRecord& record) const;
};

// The database as it is now, for which a backup is looked for.
struct BackupNeed {
  BackupSubject subject;
  std::string version_table;
  std::vector<std::string> revisions;
  std::optional<std::vector<std::string>> target;  // of the migration that is about to run
};

// The newest complete and verified backup of this database, at this place, and version table with exactly these rows, not older
// than `max_age`.
[[nodiscard]] const BackupRecord* newest_acceptable(const std::vector<StoredBackup>& backups, const BackupNeed& need,
                                                    milliseconds max_age, WallTime now);

// The same among those that an earlier attempt at this migration took: nothing else was backed up for this version table since.
[[nodiscard]] const BackupRecord* of_earlier_attempt(const std::vector<StoredBackup>& backups, const BackupNeed& need,
                                                     milliseconds max_age, WallTime now);

// What retention lets go, oldest first.
[[nodiscard]] std::vector<BackupRecord> expired_backups(const std::vector<StoredBackup>& backups, const BackupSubject& subject,
                                                        const BackupRetention& retention, WallTime now);

// The same, proven: the newest of the good ones that stay is read, and one whose bytes are not those of its manifest counts as
// broken from then on, until one that stays is whole. Otherwise a dump that rotted would outlive the last one that can be
// restored. `known` names one that was verified a moment ago; it may be empty.
struct ProvenExpiry {
  std::vector<BackupRecord> expired;  // oldest first
  std::vector<Error> damaged;         // what was found on the way
};
// Errors: Interrupted after a stop.
[[nodiscard]] Result<ProvenExpiry> proven_expiry(BackupStore& store, std::vector<StoredBackup> backups,
                                                 const BackupSubject& subject, const BackupRetention& retention, WallTime now,
                                                 const std::string& known, const StopToken& stop);

// The dump first, then its manifest: a manifest alone is still known as ours.
[[nodiscard]] Result<void> delete_backup(BackupStore& store, const BackupRecord& record);

}  // namespace athanor
