// The reconciler's interface to backups: makes sure that there is one that the policy accepts.
//
// Threads: safe from any thread. Ownership: borrows nothing beyond the call.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {

struct BackupRequest {
  const DatabaseMigration& resource;
  const DatabaseTarget& target;
  const std::vector<std::string>& current_heads;  // the heads that the plan starts from
  std::vector<std::string> destination;           // the heads it leads to: attempts with the same destination share a backup
};

struct SavedDatabase {
  BackupStatus backup;
  bool accepted = false;  // it existed already
};

class BackupService {
 public:
  virtual ~BackupService() = default;
  // Blocks until a verified backup of the current database is in its folder. Calls `notice` with what it is waiting for. Errors
  // have Backup… codes.
  using Notice = std::function<void(const std::string& message)>;
  [[nodiscard]] virtual Result<SavedDatabase> ensure(const BackupRequest& request, const Notice& notice,
                                                     const StopToken& stop) = 0;
};

}  // namespace athanor::controller
