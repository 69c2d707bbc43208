// The `backup:` section of athanor.yaml: where backups go, how they are made, how long they stay.
//
// It stands beside ExecutionSettings because the configuration is read here; migrations/backup acts on it.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace athanor {

// What may be deleted. The newest restore point (retention.hpp) stays in any case.
struct BackupRetention {
  int keep = 0;                          // this many restore points of a database stay; 0: any number
  std::chrono::milliseconds max_age{0};  // older ones go; 0: whatever their age
  [[nodiscard]] bool unlimited() const { return keep == 0 && max_age.count() == 0; }
};

struct BackupSettings {
  std::string folder;    // empty: none is configured
  std::string programs;  // folder of pg_dump and pg_restore; empty: PATH and /usr/lib/postgresql/*/bin
  int compression = 6;   // pg_dump -Z: 0 (none) to 9
  BackupRetention retention;
  // A verified backup of the same revision that is younger is good enough; 0: a new one is always taken.
  std::chrono::milliseconds accept_max_age{0};
  // Free space that must be left beside the (estimated) size of the dump; `check_space` false: not asked.
  std::size_t min_free = std::size_t{64} << 20U;
  bool check_space = true;
  std::uint64_t most_bytes = 0;                    // a dump that grows beyond is given up; 0: no limit
  std::chrono::milliseconds lock_timeout{30'000};  // pg_dump --lock-wait-timeout: tables locked by others
  std::chrono::milliseconds wait{600'000};         // for another dump of the same database to end
};

}  // namespace athanor
