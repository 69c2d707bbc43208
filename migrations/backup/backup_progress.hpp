// Who follows a backup or a restore. Called from the working thread; must not block for long. Everything has an empty default.
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
  // Another dump of the same database runs; it is waited for.
  virtual void waiting(const std::vector<Blocker>& /*dumps*/, milliseconds /*waited*/) {}
  // While dumping, verifying and restoring. `expected` is an estimate while dumping, and 0 when there is none.
  virtual void bytes(std::uint64_t /*done*/, std::uint64_t /*expected*/, milliseconds /*elapsed*/) {}
  virtual void warning(const std::string& /*text*/) {}
};

}  // namespace athanor
