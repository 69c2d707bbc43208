// The reconciler's view of backups: one question, "is there one that the policy accepts, or make one".
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
  const std::vector<std::string>& current_heads;  // that the plan starts from
  std::vector<std::string> destination;           // that it leads to: attempts at the same share a backup
};

struct SavedDatabase {
  BackupStatus backup;
  bool accepted = false;  // it was there already
};

class BackupService {
 public:
  virtual ~BackupService() = default;
  // Returns once a verified backup of the database as it is now stands in its folder. `notice` is told in words what is being
  // waited for. Errors have Backup… codes.
  using Notice = std::function<void(const std::string& message)>;
  [[nodiscard]] virtual Result<SavedDatabase> ensure(const BackupRequest& request, const Notice& notice,
                                                     const StopToken& stop) = 0;
};

}  // namespace athanor::controller
