// Whether a database holds tables that are not ours: whether it is a schema to be taken over, or really empty.
//
// Threads: the session's.
#pragma once

#include "migrations/execute/ledger.hpp"
#include "migrations/execute/migrator_settings.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Tables, views and materialised views of users; what extensions brought does not count, nor the ledger and the version table.
// In the schema of the version table where the settings name one (the other schemas are other tenants'), else in any.
[[nodiscard]] Result<bool> has_user_tables(Session& session, const MigratorSettings& settings, const VersionTable& versions);

}  // namespace athanor
