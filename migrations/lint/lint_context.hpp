// The input of lint besides statements: levels, server version, and how the statements will run.
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
  std::map<std::string, Severity> levels;  // by rule; other rules keep their default
  std::int64_t small_table_rows = 1'000;   // tables with fewer rows, by the server's estimate, are small; 0: no table is
  int postgres = 0;                        // major version; 0: the server's if there is one, otherwise kDefaultPostgres
  bool operator==(const LintSettings&) const = default;
};

inline constexpr int kOldestPostgres = 9;
inline constexpr int kNewestPostgres = 19;
// The oldest supported version: as far as lint is concerned, what is safe there is safe on newer ones.
inline constexpr int kDefaultPostgres = 14;

struct LintContext {
  LintSettings settings;
  int postgres = kDefaultPostgres;
  // What the session that runs a revision sets; a plain SQL file has only its own settings. statement_timeout counts as
  // configured, although its default is none because migrations may take long.
  bool session_lock_timeout = true;
  bool session_statement_timeout = true;
  bool session_utc = true;
  StopToken stop = {};  // checked before each statement
};

}  // namespace athanor
