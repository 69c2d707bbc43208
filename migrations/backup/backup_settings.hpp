// The `backup:` section of athanor.yaml: where backups are stored, how they are made, and how long they are kept.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace athanor {

// What may be deleted. The newest restore point (retention.hpp) is always kept.
struct BackupRetention {
  int keep = 0;                          // number of restore points to keep per database; 0: any number
  std::chrono::milliseconds max_age{0};  // older ones are deleted; 0: any age is kept
  [[nodiscard]] bool unlimited() const { return keep == 0 && max_age.count() == 0; }
};

struct BackupSettings {
  std::string folder;    // empty: no folder is configured
  std::string programs;  // folder of pg_dump and pg_restore; empty: PATH and /usr/lib/postgresql/*/bin
  int compression = 6;   // pg_dump -Z: 0 (none) to 9
  BackupRetention retention;
  // Accept a verified backup of the same revision that is younger than this; 0: always take a new one.
  std::chrono::milliseconds accept_max_age{0};
  // Free space that must remain in addition to the estimated size of the dump. `check_space` false: no check.
  std::size_t min_free = std::size_t{64} << 20U;
  bool check_space = true;
  std::chrono::milliseconds lock_timeout{30'000};  // pg_dump --lock-wait-timeout: for tables locked by others
  std::chrono::milliseconds wait{600'000};         // for another dump of the same database to end
};

}  // namespace athanor
