// Detects a connection pooler that assigns a server connection per transaction.
//
// Behind such a pooler an advisory lock protects nothing, and stays on a connection that nobody can identify. The backend
// process id announced at connect time is compared with pg_backend_pid(): behind a pooler they differ.
//
// Only changes need this check. Reading is correct through any pooler, because each query is its own transaction.
//
// Threads: the session's.
#pragma once

#include <string_view>

#include "migrations/session/session.hpp"

namespace athanor {

// Whether `answered`, the text of pg_backend_pid(), differs from the announced process id.
[[nodiscard]] bool is_behind_pooler(const Session& session, std::string_view answered);
// Error: PoolerRefused unless `answered`, the text of pg_backend_pid(), equals the session's announced process id. With
// `allow_session_pooler` the user guarantees that the pooler works in session mode, and the ids are not compared. A session
// without pinned settings is always refused.
[[nodiscard]] Result<void> refuse_pooler(const Session& session, std::string_view answered, bool allow_session_pooler);
// The same, with a round trip for pg_backend_pid().
[[nodiscard]] Result<void> refuse_pooler(Session& session, bool allow_session_pooler);

}  // namespace athanor
