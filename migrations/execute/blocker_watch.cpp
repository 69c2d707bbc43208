#include "migrations/execute/blocker_watch.hpp"

#include "migrations/execute/blocker_rows.hpp"

namespace athanor {

std::vector<Blocker> BlockerWatch::blockers_of(int pid) {
  if (!observer_) {
    auto opened = factory_->open_observer();
    if (!opened) {
      return {};
    }
    observer_ = std::move(*opened);
  }
  auto rows = observer_->query(
      "SELECT a.pid, a.application_name, a.usename, coalesce(a.client_addr::text, 'local socket'), a.state,"
      " to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), a.query"
      " FROM unnest(pg_blocking_pids($1)) AS b(pid) JOIN pg_stat_activity a ON a.pid = b.pid"
      // A prepared transaction has no session; its locks tell what it is.
      " UNION ALL SELECT DISTINCT 0, x.gid, x.owner, '', 'prepared',"
      " to_char(x.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), ''"
      " FROM pg_locks w JOIN pg_locks h ON h.pid IS NULL AND h.granted AND h.locktype = w.locktype"
      " AND (h.database, h.relation, h.page, h.tuple, h.virtualxid, h.transactionid, h.classid, h.objid, h.objsubid)"
      " IS NOT DISTINCT FROM"
      " (w.database, w.relation, w.page, w.tuple, w.virtualxid, w.transactionid, w.classid, w.objid, w.objsubid)"
      " JOIN pg_prepared_xacts x ON h.virtualtransaction LIKE '%/' || x.transaction::text"
      " WHERE w.pid = $1 AND NOT w.granted AND 0 = ANY (pg_blocking_pids($1)) LIMIT 10",
      {std::to_string(pid)});
  if (!rows) {
    observer_.reset();  // perhaps its connection is gone: the next question opens another
    return {};
  }
  return read_blockers(*rows);
}

}  // namespace athanor
