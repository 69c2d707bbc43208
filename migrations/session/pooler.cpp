#include "migrations/session/pooler.hpp"

#include <string>

namespace athanor {

bool is_behind_pooler(const Session& session, std::string_view answered) {
  return answered != std::to_string(session.backend_pid());
}

Result<void> refuse_pooler(const Session& session, std::string_view answered, bool allow_session_pooler) {
  if (!session.pinned()) {
    return fail(Error(ErrorCode::PoolerRefused, "a connection pooler that takes no session settings stands before PostgreSQL")
                    .advise("give the server's own URL: migrations need settings and a lock that last; reading works so"));
  }
  if (allow_session_pooler || !is_behind_pooler(session, answered)) {
    return {};
  }
  return fail(Error(ErrorCode::PoolerRefused, "a connection pooler stands between Athanor and PostgreSQL")
                  .advise("a transaction pooler loses the migration lock: give the server's own URL; if the pooler is known to "
                          "work in session mode, set execution.allow_session_pooler: true"));
}

Result<void> refuse_pooler(Session& session, bool allow_session_pooler) {
  TRY_ASSIGN(const Rows rows, session.query("SELECT pg_catalog.pg_backend_pid()"));
  return refuse_pooler(session, rows.text(0, 0), allow_session_pooler);
}

}  // namespace athanor
