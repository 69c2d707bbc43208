// Detects a connection pooler that hands each transaction to another server connection.
//
// Through such a pooler an advisory lock protects nothing and stays behind on a connection that nobody can name. The backend
// process id that the server announced when connecting is compared with the one that answers now; behind a pooler they differ.
//
// Threads: the session's.
#pragma once

#include <string_view>

#include "migrations/session/session.hpp"

namespace athanor {

// PoolerRefused unless `answered`, the text of pg_backend_pid(), is the session's announced process id. `allow_session_pooler`:
// the user vouches that the pooler works in session mode, and nothing is checked.
[[nodiscard]] Result<void> refuse_pooler(const Session& session, std::string_view answered, bool allow_session_pooler);
// The same with a round trip that asks for pg_backend_pid().
[[nodiscard]] Result<void> refuse_pooler(Session& session, bool allow_session_pooler);

}  // namespace athanor
