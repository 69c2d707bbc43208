// A session that another one waits for, as pg_stat_activity describes it.
//
// Threads: plain values.
#pragma once

#include <string>

namespace athanor {

struct Blocker {
  int pid = 0;              // 0: a transaction that was prepared for a two-phase commit and has no session
  std::string application;  // of a prepared transaction its identifier
  std::string user;
  std::string client;
  std::string state;
  std::string since;  // ISO 8601, UTC: when its transaction began, or the session itself
  std::string query;  // what it runs or ran last, without literals
  bool operator==(const Blocker&) const = default;
};

// "pid 4711 (athanor, user alice from 10.1.2.3, since 2026-11-21T02:10:00+00:00)".
[[nodiscard]] std::string describe_blocker(const Blocker& blocker);

}  // namespace athanor
