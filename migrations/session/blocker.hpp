// A session that blocks another, as pg_stat_activity describes it.
//
// Threads: plain values.
#pragma once

#include <string>

namespace athanor {

struct Blocker {
  int pid = 0;              // 0: a transaction prepared for two-phase commit, which has no session
  std::string application;  // for a prepared transaction, its identifier
  std::string user;
  std::string client;
  std::string state;
  std::string since;  // ISO 8601, UTC: start of its transaction, or of the session
  std::string query;  // its current or last statement, without literals
  bool operator==(const Blocker&) const = default;
};

// "pid 4711 (athanor, user alice from 10.1.2.3, since 2026-11-21T02:10:00+00:00)".
[[nodiscard]] std::string describe_blocker(const Blocker& blocker);

}  // namespace athanor
