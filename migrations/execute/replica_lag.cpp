#include "migrations/execute/replica_lag.hpp"

#include <charconv>

namespace athanor {

Result<void> ReplicaLag::require_visible(ReadSession& session) {
  TRY_ASSIGN(const Rows answer,
             session.query("SELECT current_user, pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')"));
  if (answer.text(0, 1) == "t") {
    return {};
  }
  return fail(Error(ErrorCode::InsufficientPrivilege, "max_replica_lag is set, but the role " + answer.text(0, 0) +
                                                          " has no permission to read the replication lag")
                  .advise("GRANT pg_monitor TO the role, or remove max_replica_lag (max-lag of the step)"));
}

Result<std::optional<milliseconds>> ReplicaLag::exceeded(ReadSession& session) {
  // No query without a limit.
  if (limit_.count() == 0) {
    return std::optional<milliseconds>{};
  }
  // Receivers that do not replay (pg_receivewal, pg_basebackup) have no replay_lsn.
  TRY_ASSIGN(const Rows answer,
             session.query("SELECT pg_catalog.pg_current_wal_lsn(),"
                           " coalesce(pg_catalog.max(extract(epoch FROM r.replay_lag) OPERATOR(pg_catalog.*) 1000),"
                           " 0)::pg_catalog.int8,"
                           " coalesce(pg_catalog.bool_or(r.replay_lag IS NULL AND r.replay_lsn OPERATOR(pg_catalog.<)"
                           " $1::pg_catalog.pg_lsn), false)"
                           " FROM pg_catalog.pg_stat_replication r WHERE r.replay_lsn IS NOT NULL",
                           {mark_ ? Parameter(mark_->position) : Parameter()}));
  std::int64_t replay_lag_ms = 0;
  const std::string text = answer.text(0, 1);
  std::from_chars(text.data(), text.data() + text.size(), replay_lag_ms);
  milliseconds lag(replay_lag_ms);
  const auto now = clock_->steady_now();
  // A replica without replay_lag has not replayed the WAL of the mark: it lags by at least the age of the mark. Keep that mark.
  if (answer.text(0, 2) == "t" && mark_) {
    lag = std::max(lag, std::chrono::duration_cast<milliseconds>(now - mark_->at));
  } else {
    mark_ = Mark{answer.text(0, 0), now};
  }
  return lag > limit_ ? std::optional(lag) : std::nullopt;
}

}  // namespace athanor
