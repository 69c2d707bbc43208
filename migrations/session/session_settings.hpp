// How a session behaves on the server, and how long a run waits there.
//
// The defaults are safety rules: short lock waits, many retries, no silent timeouts.
//
// Threads: plain values.
#pragma once

#include <string>

#include "migrations/base/clock.hpp"

namespace athanor {

struct ExecutionSettings {
  milliseconds lock_wait{600'000};          // how long to wait for the migration lock held by another run
  milliseconds lock_timeout{2'000};         // per attempt, for locks that statements take
  milliseconds lock_retry_budget{600'000};  // total time for retries after lock_timeout; 0: a single attempt
  milliseconds statement_timeout{0};        // 0: none
  milliseconds connect_timeout{10'000};
  milliseconds answer_timeout{30'000};  // for questions of our own, on top of lock_timeout and statement_timeout
  milliseconds stop_grace{10'000};      // after a first stop request a running transaction may still finish this long
  milliseconds max_replica_lag{0};      // batch steps pause while a replica lags more; 0: no check
  std::string role;                     // SET ROLE after connecting; empty: none
  std::string search_path;              // pinned for the session; empty: "$user", public as the server has it
  std::string application_name = "athanor";
  bool allow_session_pooler = false;  // the user vouches that the pooler works in session mode
  bool show_values = false;           // --show-values: the server's messages as they are, values of the data among them
  bool show_notices = false;          // -v: the server's NOTICEs too; its WARNINGs are always shown
};

}  // namespace athanor
