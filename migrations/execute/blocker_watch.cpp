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
      "SELECT " + blocker_columns("coalesce(a.xact_start, a.backend_start)") +
          " FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS b(pid) JOIN pg_catalog.pg_stat_activity AS a ON a.pid"
          " OPERATOR(pg_catalog.=) b.pid LIMIT 10",
      {std::to_string(pid)});
  if (!rows) {
    observer_.reset();  // perhaps its connection is gone: the next question opens another
    return {};
  }
  return read_blockers(*rows);
}

}  // namespace athanor
