// Pins name resolution for a backup's own statements, and checks that the catalogue of backups is ours.
//
// A schema that other roles can write to may contain operators, functions and tables with the names that we use. The sessions
// of a backup run only our own statements, so they resolve names in pg_catalog alone, and tables are qualified.
//
// Threads: the session's.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// From now on the session resolves names only in pg_catalog. Returns the qualified and quoted version table, resolved through
// the previous search_path; empty when it does not exist or is not an ordinary table. `version_table` is the configured name,
// quoted.
[[nodiscard]] Result<std::string> use_server_names(Session& session, const std::string& version_table);
// The same, for a session that needs no version table.
[[nodiscard]] Result<void> use_server_names(Session& session);

// Call before reading or writing the catalogue in `ledger_schema`. Error: UntrustedTable when another role could have created
// it (own_tables.hpp).
[[nodiscard]] Result<void> check_catalogue(Session& session, const std::string& ledger_schema);

}  // namespace athanor
