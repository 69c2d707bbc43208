#include "migrations/session/pooler.hpp"

#include <string>

namespace athanor {

bool is_behind_pooler(const Session& session, std::string_view answered) {
  return answered != std::to_string(session.backend_pid());
}

Result<void> refuse_pooler(const Session& session, std::string_view answered, bool allow_session_pooler) {
  if (!session.pinned()) {
    return fail(Error(ErrorCode::PoolerRefused, "Athanor is connected to a connection pooler that rejects session settings")
                    .advise("use the URL of the server itself: migrations need session settings and a session-level lock; "
                            "reading works through the pooler"));
  }
  if (allow_session_pooler || !is_behind_pooler(session, answered)) {
    return {};
  }
  return fail(
      Error(ErrorCode::PoolerRefused, "Athanor is connected to a connection pooler, not directly to PostgreSQL")
          .advise("a transaction pooler loses the migration lock: use the URL of the server itself; if the pooler is known to "
                  "work in session mode, set execution.allow_session_pooler: true"));
}

Result<void> refuse_pooler(Session& session, bool allow_session_pooler) {
  TRY_ASSIGN(const Rows rows, session.query("SELECT pg_catalog.pg_backend_pid()"));
  return refuse_pooler(session, rows.text(0, 0), allow_session_pooler);
}

}  // namespace athanor
