// Backups that resources declare, taken into folders of this machine: the reconciler's BackupService over the backup room.
//
// spec.backup.path must lie, links resolved, below one of the operator's backup roots; relative paths begin at the first, and
// without one the folder is NAMESPACE/NAME. Before the backup is taken, the record's
// revision rows are compared with the rows the plan starts from; a database that moved meanwhile is a stale plan.
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <string>
#include <vector>

#include "migrations/backup/backup.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/backup_service.hpp"

namespace athanor::controller {

// What the world outside gives to programs that are started; passed in by the composition root.
struct ProgramSurroundings {
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<std::string> path;         // PATH, split
  std::function<Result<ConnectionKeywords>(const std::string& url)> connection_keywords;
};

class FolderBackups final : public BackupService {
 public:
  // A path of a manifest, checked: below a root, links resolved.
  using Resolve = std::function<Result<std::string>(const DatabaseMigration& resource, const std::string& path)>;
  FolderBackups(Resolve resolve, SessionFactoryMaker connect, ProgramSurroundings surroundings, Clock& clock, Log log)
      : resolve_(std::move(resolve)),
        connect_(std::move(connect)),
        surroundings_(std::move(surroundings)),
        clock_(clock),
        log_(std::move(log)) {}

  [[nodiscard]] Result<BackupStatus> ensure(const DatabaseMigration& resource, const DatabaseTarget& target,
                                            const std::vector<std::string>& rows, const Notice& notice,
                                            const StopToken& stop) override;

 private:
  Resolve resolve_;
  SessionFactoryMaker connect_;
  ProgramSurroundings surroundings_;
  Clock& clock_;
  Log log_;
};

}  // namespace athanor::controller
