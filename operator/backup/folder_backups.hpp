// Takes the backups that resources declare into folders of this machine: implements the reconciler's BackupService.
//
// The composition root decides where spec.backup.path may lead. Without a path, the folder is named after the resource. The
// heads recorded in the backup are compared with the heads the plan starts from: if the database moved in between, the plan is
// stale.
//
// Attempts at the same plan share a backup, for at most a day unless spec.backup.acceptYoungerThan says otherwise
// (docs/adr/0012).
//
// A quota limits the total size of a namespace's files: those that exist, and the dumps while they grow. Concurrent dumps share
// the remaining space (namespace_bytes.hpp).
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "migrations/backup/backup.hpp"
#include "operator/backup/namespace_bytes.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/backup_service.hpp"

namespace athanor::controller {

// The environment for child programs, passed in by the composition root.
struct ProgramEnvironment {
  std::vector<std::string> environment;  // "NAME=value"
  std::vector<std::string> path;         // PATH, split
  std::function<Result<ConnectionKeywords>(const std::string& url)> connection_keywords;
};

// The limit for all dumps of one namespace, and their folder.
struct BackupQuota {
  std::uint64_t bytes = 0;  // 0: no limit
  std::function<Result<std::string>(const std::string& name_space)> folder = {};
};

class FolderBackups final : public BackupService {
 public:
  // Resolves a path from a manifest: below a root, with links resolved. An empty path means the resource's own folder.
  using Resolve = std::function<Result<std::string>(const DatabaseMigration& resource, const std::string& path)>;
  FolderBackups(Resolve resolve, SessionFactoryMaker connect, ProgramEnvironment surroundings, Clock& clock, Log log,
                BackupQuota quota = {})
      : resolve_(std::move(resolve)),
        connect_(std::move(connect)),
        surroundings_(std::move(surroundings)),
        clock_(clock),
        log_(std::move(log)),
        quota_(std::move(quota)),
        bytes_(quota_.bytes) {}

  [[nodiscard]] Result<SavedDatabase> ensure(const BackupRequest& request, const Notice& notice,
                                             const StopToken& stop) override;

 private:
  Resolve resolve_;
  SessionFactoryMaker connect_;
  ProgramEnvironment surroundings_;
  Clock& clock_;
  Log log_;
  BackupQuota quota_;
  NamespaceBytes bytes_;
};

}  // namespace athanor::controller
