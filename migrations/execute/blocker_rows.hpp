// Blockers as the server answers them: rows of pg_stat_activity turned into values.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// The columns that read_blockers() reads, of pg_stat_activity as `a`: pid, application_name, usename, client, state, since,
// query. `since` is an SQL expression for when the session began to block.
[[nodiscard]] std::string blocker_columns(std::string_view since);
// `rows` have these columns, in this order. Literals are taken out of the query, so that a report shows no data.
[[nodiscard]] std::vector<Blocker> read_blockers(const Rows& rows);

}  // namespace athanor
