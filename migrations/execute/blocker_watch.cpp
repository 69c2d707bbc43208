#include "migrations/execute/blocker_watch.hpp"

#include <chrono>

#include "migrations/execute/blocker_rows.hpp"

namespace athanor {

namespace {

constexpr milliseconds kPauseAfterFailure{30'000};

}  // namespace

std::vector<Blocker> BlockerWatch::blockers_of(int pid) {
  const auto now = std::chrono::steady_clock::now();  // of the real network, whatever clock the run is given
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
      "SELECT a.pid, a.application_name, a.usename, coalesce(a.client_addr::text, 'local socket'), a.state,"
      " to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), a.query"
      " FROM unnest(pg_blocking_pids($1)) AS b(pid) JOIN pg_stat_activity a ON a.pid = b.pid LIMIT 10",
      {std::to_string(pid)});
  if (!rows) {
    observer_.reset();  // perhaps its connection is gone: a later question opens another
    failed_ = std::chrono::steady_clock::now();
    return {};
  }
  return read_blockers(*rows);
}

}  // namespace athanor
