// What a backup needs to know about a database, and the moment it is taken at.
//
// Threads: the session's. Ownership: borrows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/backup/backup_record.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct DatabaseFacts {
  DatabaseIdentity identity;
  std::uint64_t bytes = 0;  // pg_database_size; 0 when the user may not ask
  bool standby = false;
};

[[nodiscard]] Result<DatabaseFacts> read_facts(ReadSession& session);
[[nodiscard]] Result<DatabaseProperties> read_properties(ReadSession& session);

// The rows of a version table (a name as SQL has it, qualified_name), sorted; none without the table.
[[nodiscard]] Result<std::vector<std::string>> read_revisions(ReadSession& session, const std::string& version_table);

// One moment of the database, held open by the session's transaction until it ends: the dump, the revision rows and the LSN are
// all of this moment.
struct Snapshot {
  std::string id;   // for pg_dump --snapshot
  std::string lsn;  // not after it
  std::vector<std::string> revisions;
  std::optional<std::int64_t> ledger_id;  // newest row of the ledger's history; 0 without rows, nothing without that table
};
// `history` is the ledger's, as SQL has it.
[[nodiscard]] Result<Snapshot> open_snapshot(Session& session, const std::string& version_table, const std::string& history);

}  // namespace athanor
