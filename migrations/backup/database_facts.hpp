// Reads what a backup needs to know about a database, and opens the snapshot it is taken from.
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
  std::uint64_t bytes = 0;  // pg_database_size; 0 when the user may not query it
  bool standby = false;
};

// Facts of the session's database. What the user may not query stays empty.
[[nodiscard]] Result<DatabaseFacts> read_facts(ReadSession& session);
// Reads what pg_dump leaves out, for restoring it.
[[nodiscard]] Result<DatabaseProperties> read_properties(ReadSession& session);

// The sorted rows of a version table (its name as in SQL, qualified_name); none when the name is empty.
[[nodiscard]] Result<std::vector<std::string>> read_revisions(ReadSession& session, const std::string& version_table);

// One moment of the database, kept open by the session's transaction: the dump, the heads and the LSN all belong to it.
struct Snapshot {
  std::string id;   // for pg_dump --snapshot
  std::string lsn;  // a position at or before the snapshot
  std::vector<std::string> revisions;
  // Newest row of the ledger's history; 0 when it has no rows; empty when the table does not exist.
  std::optional<std::int64_t> ledger_id;
};
// Begins a transaction and exports its snapshot. `history` is the ledger's history table, as in SQL.
[[nodiscard]] Result<Snapshot> open_snapshot(Session& session, const std::string& version_table, const std::string& history);

}  // namespace athanor
