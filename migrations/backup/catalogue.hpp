// The catalogue of backups: the table `backup` in the ledger's schema, one row per backup, for people and metrics.
//
// Manifests are authoritative; the catalogue is a copy in the database. A backup without a row (on a standby, or for lack of
// privileges) is just as good. The table is created for the first backup. If a migrator creates the ledger at the same moment,
// creating it is retried.
//
// A restored database contains the catalogue from the time of the dump: docs/backups.md explains the consequences.
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

  // Inserts a row; creates the table if necessary.
  [[nodiscard]] Result<void> record(Session& session, const BackupRecord& record) const;
  // Sets deleted_at. Succeeds when the table or the row does not exist.
  [[nodiscard]] Result<void> mark_deleted(Session& session, const std::string& id) const;

  struct Row {
    std::string id, version_table, file, location, sha256, started_at, verified_at, deleted_at;
    std::string revisions;  // joined by ", "
    std::uint64_t size = 0;
  };
  // Newest first; empty when the table does not exist.
  [[nodiscard]] Result<std::vector<Row>> rows(ReadSession& session) const;

 private:
  [[nodiscard]] Result<bool> exists(ReadSession& session) const;
  [[nodiscard]] Result<void> create(Session& session) const;

  std::string schema_;
  std::string table_;
};

}  // namespace athanor
