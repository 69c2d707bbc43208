// A transaction pooler in between: what one session holds, another one has.
//
// An advisory lock taken through such a pooler protects nothing, and stays behind on a connection that nobody can name. The
// process id that the server told at the start is compared with the one that answers now.
//
// Threads: the session's.
#pragma once

#include <string_view>

#include "migrations/session/session.hpp"

namespace athanor {

// PoolerRefused unless `answered`, what pg_backend_pid() said, is this session's own process, or the user vouches for the
// pooler.
[[nodiscard]] Result<void> refuse_pooler(const Session& session, std::string_view answered, bool allow_session_pooler);
// The same, asking.
[[nodiscard]] Result<void> refuse_pooler(Session& session, bool allow_session_pooler);

}  // namespace athanor
