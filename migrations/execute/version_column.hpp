// Makes sure that the version table can store long revision ids.
//
// Alembic's column has 32 characters, and so does ours. For a plan with a longer id, a new table gets 255. An existing table is
// not altered, because Alembic may use it too: the run is refused before its first statement.
//
// Threads: the session's. Ownership: borrows everything for the call.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// No query when every id fits into 32 characters. Errors: InvalidRevisionId, with the ALTER TABLE to run, when an id does not
// fit into the column of a table that `was_there` before; errors of the server.
[[nodiscard]] Result<void> fit_version_column(Session& session, const VersionTable& versions, const Plan& plan, bool was_there);

}  // namespace athanor
