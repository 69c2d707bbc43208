// How a session behaves on the server, and how long a run waits.
//
// The defaults are safe: short lock waits with many retries, and no hidden timeouts.
//
// Threads: plain values.
#pragma once

#include <string>

#include "migrations/base/clock.hpp"

namespace athanor {

struct ExecutionSettings {
  milliseconds lock_wait{600'000};          // how long to wait for the migration lock of another run
  milliseconds lock_timeout{2'000};         // per attempt, for locks that statements take
  milliseconds lock_retry_budget{600'000};  // total time for retries after lock_timeout; 0: a single attempt
  milliseconds statement_timeout{0};        // 0: none
  milliseconds connect_timeout{10'000};
  milliseconds answer_timeout{30'000};  // for our own queries, in addition to lock_timeout and statement_timeout
  milliseconds stop_grace{10'000};      // how long a running transaction may continue after a first stop request
  milliseconds max_replica_lag{0};      // batch steps pause while a replica lags more; 0: no check
  std::string role;                     // SET ROLE after connecting; empty: none
  std::string search_path;              // pinned for the session; empty: the server's default ("$user", public)
  std::string application_name = "athanor";
  bool allow_session_pooler = false;  // the user guarantees that the pooler works in session mode
  bool show_values = false;           // --show-values: do not mask values in the server's messages
  bool show_notices = false;          // -v: also show NOTICEs; WARNINGs are always shown
};

}  // namespace athanor
