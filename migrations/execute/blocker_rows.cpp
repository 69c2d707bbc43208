#include "migrations/execute/blocker_rows.hpp"

#include <charconv>

#include "migrations/plan/statement.hpp"

namespace athanor {

std::string blocker_columns(std::string_view since) {
  return "a.pid, a.application_name, a.usename, coalesce(pg_catalog.host(a.client_addr), 'local socket'), a.state,"
         " pg_catalog.to_char(pg_catalog.timezone('UTC', " +
         std::string(since) + "), 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"'), a.query";
}

std::vector<Blocker> read_blockers(const Rows& rows) {
  std::vector<Blocker> blockers;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    Blocker& blocker = blockers.emplace_back();
    const std::string pid = rows.text(i, 0);
    std::from_chars(pid.data(), pid.data() + pid.size(), blocker.pid);
    blocker.application = rows.text(i, 1);
    blocker.user = rows.text(i, 2);
    blocker.client = rows.text(i, 3);
    blocker.state = rows.text(i, 4);
    blocker.since = rows.text(i, 5);
    const std::string query = rows.text(i, 6);
    // Another session's query may contain data.
    blocker.query = query.empty() ? query : sanitise_sql(query);
  }
  return blockers;
}

}  // namespace athanor
