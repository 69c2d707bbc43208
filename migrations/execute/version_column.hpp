// Makes sure that the version table can store the revision ids of a plan.
//
// Alembic's column has 32 characters, and so does ours. For a plan with a longer id, a new table gets 255. An existing table is
// not altered, because Alembic may use it too: the run is refused before its first statement.
//
// Threads: the session's. Ownership: borrows everything for the call.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/execute/database_state.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// The query for the width of version_num, and the number of characters in its answer: no row and no limit count as the longest
// id.
[[nodiscard]] std::string version_width_query(const VersionTable& versions);
[[nodiscard]] std::size_t version_width_in(const Rows& answer);

// `state`: of the database before the run, observed under the lock. Errors: InvalidRevisionId, with the ALTER TABLE to run,
// when an id does not fit into the column of a table that existed before; errors of the server.
[[nodiscard]] Result<void> fit_version_column(Session& session, const VersionTable& versions, const Plan& plan,
                                              const DatabaseState& state);

}  // namespace athanor
