// Backups that resources declare, taken into folders of this machine: the reconciler's BackupService over the backup room.
//
// Where spec.backup.path may lead is the house's rule. Without one the folder is named after the resource. The record's
// revision rows are compared with the rows the plan starts from: a database that moved meanwhile is a stale plan.
//
// Attempts at the same plan share a backup, for a day at most where spec.backup.acceptYoungerThan says nothing (docs/adr/0012).
//
// A quota counts all files of a namespace: what is there when a dump begins, and the dump itself while it grows. Two dumps at a
// time may each take what is left.
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "migrations/backup/backup.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/backup_service.hpp"

namespace athanor::controller {

// What the world outside gives to programs that are started; passed in by the composition root.
struct ProgramEnvironment {
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<std::string> path;         // PATH, split
  std::function<Result<ConnectionKeywords>(const std::string& url)> connection_keywords;
};

// What all dumps of one namespace may take, and where they are.
struct BackupQuota {
  std::uint64_t bytes = 0;  // 0: no limit
  std::function<Result<std::string>(const std::string& name_space)> folder = {};
};

class FolderBackups final : public BackupService {
 public:
  // A path of a manifest, checked: below a root, links resolved. An empty one: the resource's own.
  using Resolve = std::function<Result<std::string>(const DatabaseMigration& resource, const std::string& path)>;
  FolderBackups(Resolve resolve, SessionFactoryMaker connect, ProgramEnvironment surroundings, Clock& clock, Log log,
                BackupQuota quota = {})
      : resolve_(std::move(resolve)),
        connect_(std::move(connect)),
        surroundings_(std::move(surroundings)),
        clock_(clock),
        log_(std::move(log)),
        quota_(std::move(quota)) {}

  [[nodiscard]] Result<SavedDatabase> ensure(const BackupRequest& request, const Notice& notice,
                                             const StopToken& stop) override;

 private:
  Resolve resolve_;
  SessionFactoryMaker connect_;
  ProgramEnvironment surroundings_;
  Clock& clock_;
  Log log_;
  BackupQuota quota_;
};

}  // namespace athanor::controller
