// Checks whether a database has tables other than Athanor's: whether there is a schema to take over, or the database is empty.
//
// Threads: the session's.
#pragma once

#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Counts tables, views and materialised views, except those of extensions, the ledger and the version table. When the settings
// name a schema for the version table, only that schema counts (other schemas belong to other tenants); otherwise all do.
[[nodiscard]] Result<bool> has_user_tables(Session& session, const MigratorSettings& settings, const VersionTable& versions);

}  // namespace athanor
