// The catalogue: `backup` in the ledger's schema, one row per backup, for people and metrics.
//
// The manifests are the truth; the catalogue is a copy that the database carries. A backup whose row could not be written (a
// standby, missing privileges) is as good as any. The table is made when the first backup is recorded; the race with a migrator
// that makes the ledger at the same moment is met by looking again.
//
// A restored database carries the catalogue as it was at the moment of the dump: docs/backups.md says what that means.
//
// Threads: the session's.
#pragma once

#include <string>
#include <vector>

#include "migrations/backup/backup_record.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class BackupCatalogue {
 public:
  explicit BackupCatalogue(const std::string& schema);

  // Makes the table if need be.
  [[nodiscard]] Result<void> record(Session& session, const BackupRecord& record) const;
  // A missing table or row is fine.
  [[nodiscard]] Result<void> mark_deleted(Session& session, const std::string& id) const;

  struct Row {
    std::string id, version_table, file, location, sha256, started_at, verified_at, deleted_at;
    std::string revisions;  // joined by ", "
    std::uint64_t size = 0;
  };
  // Newest first; empty without the table.
  [[nodiscard]] Result<std::vector<Row>> rows(ReadSession& session) const;

 private:
  [[nodiscard]] Result<bool> exists(ReadSession& session) const;
  [[nodiscard]] Result<void> create(Session& session) const;

  std::string schema_;
  std::string table_;
};

}  // namespace athanor
