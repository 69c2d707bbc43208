// Room for long revision ids in the version table.
//
// Alembic makes a column of 32 characters, and so do we. A plan with a longer id gets one of 255 when the table is new; a table
// that is there is not changed, because it is Alembic's too: the run is refused before its first statement.
//
// Threads: the session's. Ownership: borrows everything for the call.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Costs nothing when every id fits into Alembic's column. Errors: InvalidRevisionId when one is longer than the column of a
// table that `was_there`, with the ALTER TABLE to run; those of the server.
[[nodiscard]] Result<void> fit_version_column(Session& session, const VersionTable& versions, const Plan& plan, bool was_there);

}  // namespace athanor
