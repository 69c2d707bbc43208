// Detects a connection pooler that hands each transaction to another server connection.
//
// Through such a pooler an advisory lock protects nothing and stays behind on a connection that nobody can name. The backend
// process id that the server announced when connecting is compared with the one that answers now; behind a pooler they differ.
//
// Only work needs the check. Reading is right through any pooler: each question is a transaction of its own.
//
// Threads: the session's.
#pragma once

#include <string_view>

#include "migrations/session/session.hpp"

namespace athanor {

// Whether `answered`, the text of pg_backend_pid(), is another process than the announced one.
[[nodiscard]] bool is_behind_pooler(const Session& session, std::string_view answered);
// PoolerRefused unless `answered`, the text of pg_backend_pid(), is the session's announced process id. `allow_session_pooler`:
// the user vouches that the pooler works in session mode, and the ids are not compared. A session without the pinned settings
// is refused in any case.
[[nodiscard]] Result<void> refuse_pooler(const Session& session, std::string_view answered, bool allow_session_pooler);
// The same with a round trip that asks for pg_backend_pid().
[[nodiscard]] Result<void> refuse_pooler(Session& session, bool allow_session_pooler);

}  // namespace athanor
