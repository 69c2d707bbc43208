// A session that another one waits for, as pg_stat_activity describes it.
//
// Threads: plain values.
#pragma once

#include <string>

namespace athanor {

struct Blocker {
  int pid = 0;
  std::string application;
  std::string user;
  std::string client;
  std::string state;
  std::string since;  // ISO 8601
  std::string query;  // sanitised
};

}  // namespace athanor
