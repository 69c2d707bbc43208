// Runs pg_restore: a dump of the store goes into an empty database.
//
// Threads: blocks the calling thread, which starts the program. Ownership: borrows everything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/backup/backup.hpp"

namespace athanor {

struct RestoreRun {
  BackupStore& store;
  const BackupRecord& record;
  const BackupJob& job;             // connection, programs, role, surroundings
  std::string database;             // empty, on the server of job.connection
  int server_major = 0;             // of that server
  int jobs = 1;                     // pg_restore -j, where the store is a folder of this machine
  std::vector<std::string> more{};  // further arguments
};

// True if these errors of pg_restore say nothing but that the server does not know transaction_timeout. From version 17 on,
// pg_restore sets it in each of its sessions, and an older server refuses that; nothing of the dump is missing.
[[nodiscard]] bool refuses_only_transaction_timeout(std::string_view err);

// BackupFailed with pg_restore's own words, BackupRefused without a pg_restore that can do it, Interrupted.
[[nodiscard]] Result<void> run_pg_restore(const RestoreRun& run, BackupProgress& progress, Clock& clock, const StopToken& stop);

}  // namespace athanor
