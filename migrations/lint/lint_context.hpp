// What lint is told from outside: levels, the server, and how statements will be run.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "migrations/base/stop.hpp"
#include "migrations/lint/finding.hpp"

namespace athanor {

// `lint:` of athanor.yaml.
struct LintSettings {
  std::map<std::string, Severity> levels;  // by rule; others keep the table's
  std::int64_t small_table_rows = 1'000;   // tables with fewer rows, by the server's statistics, are small; 0: none is
  int postgres = 0;                        // major version; 0: the server's if one is asked, else kDefaultPostgres
};

inline constexpr int kOldestPostgres = 9;
inline constexpr int kNewestPostgres = 19;
// The oldest version that is supported: what is safe there is safe on newer ones, as far as lint goes.
inline constexpr int kDefaultPostgres = 14;

struct LintContext {
  LintSettings settings;
  int postgres = kDefaultPostgres;
  // What the session that runs a revision has; a plain SQL file has what it sets itself. A statement_timeout is a decision of
  // the configuration, which has none by default because migrations may take long.
  bool session_lock_timeout = true;
  bool session_statement_timeout = true;
  bool session_utc = true;
  StopToken stop = {};  // looked at before each statement
};

}  // namespace athanor
