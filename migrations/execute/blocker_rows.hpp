// Reads blocking sessions from rows of pg_stat_activity.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// The columns that read_blockers() expects, of pg_stat_activity as `a`: pid, application_name, usename, client, state, since,
// query. `since` is an SQL expression for the time at which the session began to block.
[[nodiscard]] std::string blocker_columns(std::string_view since);
// `rows` must have the columns above, in that order. Literals are removed from the query text, so that a report shows no data.
[[nodiscard]] std::vector<Blocker> read_blockers(const Rows& rows);

}  // namespace athanor
