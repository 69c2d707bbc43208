// Where the names in our own statements are looked up, and whether the backups' catalogue is ours.
//
// A schema that other roles can write to may hold operators, functions and tables of the names that we use. The sessions of a
// backup run nothing but our own statements, so they look names up in pg_catalog alone; tables are named with their schema.
//
// Threads: the session's.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// From here on the session finds pg_catalog's names and no others. Returns the version table with its schema, quoted, as the
// search_path so far leads to it; empty when there is none, or it is no ordinary table. `version_table` as configured, quoted.
[[nodiscard]] Result<std::string> use_server_names(Session& session, const std::string& version_table);
// The same for a session that reads no version table.
[[nodiscard]] Result<void> use_server_names(Session& session);

// To be asked before the catalogue in `ledger_schema` is read or written: UntrustedTable when another role could have planted
// it (own_tables.hpp).
[[nodiscard]] Result<void> check_catalogue(Session& session, const std::string& ledger_schema);

}  // namespace athanor
