// The reconciler's view of backups: one question, "is there one that the policy accepts, or make one".
//
// Threads: safe from any thread. Ownership: borrows nothing beyond the call.
#pragma once

#include <functional>
#include <string>

#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {

class BackupService {
 public:
  virtual ~BackupService() = default;
  // Returns once a verified backup of the database as it is now stands in its folder. `notice` is told in words what is being
  // waited for. Errors have Backup… codes.
  using Notice = std::function<void(const std::string& message)>;
  [[nodiscard]] virtual Result<BackupStatus> ensure(const DatabaseMigration& resource, const DatabaseTarget& target,
                                                    const std::vector<std::string>& rows, const Notice& notice,
                                                    const StopToken& stop) = 0;
};

}  // namespace athanor::controller
