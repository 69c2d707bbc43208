#include "migrations/execute/blocker_watch.hpp"

#include <chrono>

#include "migrations/execute/blocker_rows.hpp"

namespace athanor {
namespace {

// A prepared transaction has no backend; pg_blocking_pids() reports it as 0. Find it by the lock it holds. $1 is the waiting
// process.
constexpr std::string_view kPreparedTransactions =
    " UNION ALL SELECT DISTINCT 0, x.gid, x.owner, '', 'prepared',"
    " pg_catalog.to_char(pg_catalog.timezone('UTC', x.prepared), 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), ''"
    " FROM pg_catalog.pg_locks AS w JOIN pg_catalog.pg_locks AS h ON h.pid IS NULL AND h.granted"
    " AND pg_catalog.format('%s|%s|%s|%s|%s|%s|%s|%s|%s|%s', h.locktype, h.database, h.relation, h.page, h.tuple, h.virtualxid,"
    " h.transactionid, h.classid, h.objid, h.objsubid) OPERATOR(pg_catalog.=)"
    " pg_catalog.format('%s|%s|%s|%s|%s|%s|%s|%s|%s|%s', w.locktype, w.database, w.relation, w.page, w.tuple, w.virtualxid,"
    " w.transactionid, w.classid, w.objid, w.objsubid)"
    " JOIN pg_catalog.pg_locks AS own ON own.pid IS NULL AND own.locktype OPERATOR(pg_catalog.=) 'transactionid'"
    " AND own.virtualtransaction OPERATOR(pg_catalog.=) h.virtualtransaction"
    " JOIN pg_catalog.pg_prepared_xacts AS x ON x.transaction OPERATOR(pg_catalog.=) own.transactionid"
    " WHERE w.pid OPERATOR(pg_catalog.=) $1 AND NOT w.granted"
    " AND pg_catalog.array_position(pg_catalog.pg_blocking_pids($1), 0) IS NOT NULL";

constexpr milliseconds kPauseAfterFailure{30'000};

}  // namespace

std::vector<Blocker> BlockerWatch::blockers_of(int pid) {
  // Real time, even when the run has a simulated clock: the second connection is a real one.
  const auto now = std::chrono::steady_clock::now();
  if (failed_ && now - *failed_ < kPauseAfterFailure) {
    return {};
  }
  if (!observer_) {
    auto opened = factory_->open_observer();
    if (!opened) {
      failed_ = std::chrono::steady_clock::now();
      return {};
    }
    observer_ = std::move(*opened);
  }
  auto rows = observer_->query(
      "SELECT " + blocker_columns("coalesce(a.xact_start, a.backend_start)") +
          " FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS b(pid) JOIN pg_catalog.pg_stat_activity AS a ON a.pid"
          " OPERATOR(pg_catalog.=) b.pid" +
          std::string(kPreparedTransactions) + " LIMIT 10",
      {std::to_string(pid)});
  if (!rows) {
    observer_.reset();  // its connection may be lost: the next call after the pause opens another
    failed_ = std::chrono::steady_clock::now();
    return {};
  }
  return read_blockers(*rows);
}

}  // namespace athanor
