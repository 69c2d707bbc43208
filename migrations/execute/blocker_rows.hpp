// Blockers as the server answers them: rows of pg_stat_activity turned into values.
//
// Threads: pure function.
#pragma once

#include <vector>

#include "migrations/session/blocker.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// `rows` have the columns pid, application_name, usename, client, state, since, query, in this order. Literals are taken out of
// the query, so that a report shows no data.
[[nodiscard]] std::vector<Blocker> read_blockers(const Rows& rows);

}  // namespace athanor
