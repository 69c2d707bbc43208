// Receives the progress of a backup or restore. Every method does nothing by default.
//
// Threads: called on the working thread; must not block for long.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/session/blocker.hpp"

namespace athanor {

enum class BackupStage : std::uint8_t { Dumping, Verifying, Publishing, Pruning, Restoring, Analyzing, Swapping };

class BackupProgress {
 public:
  virtual ~BackupProgress() = default;
  virtual void stage(BackupStage /*stage*/, const std::string& /*what*/) {}
  // Another dump of the same database is running, and the backup waits for it.
  virtual void waiting(const std::vector<Blocker>& /*dumps*/, milliseconds /*waited*/) {}
  // Called while dumping, verifying and restoring. `expected` is an estimate while dumping, and 0 when unknown.
  virtual void bytes(std::uint64_t /*done*/, std::uint64_t /*expected*/, milliseconds /*elapsed*/) {}
  virtual void warning(const std::string& /*text*/) {}
};

}  // namespace athanor
