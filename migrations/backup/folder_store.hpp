// Stores backups in a folder of this machine or on a mounted volume.
//
// A dump is written to ".athanor-<name>.part" under the writer's lock (flock), synced, verified, and then renamed. The lock
// distinguishes a dump in progress from one whose writer died: the kernel releases it with the process. Only the owner can read
// the files.
//
// Threads: may be shared. Ownership: owns only the folder's name.
#pragma once

#include <string>

#include "migrations/backup/backup_store.hpp"

namespace athanor {

class FolderStore final : public BackupStore {
 public:
  // Creates the folder if it is missing; its parent must exist.
  [[nodiscard]] static Result<std::unique_ptr<FolderStore>> open_folder(const std::string& folder);
  // For reading or deleting: a missing folder is BackupNotFound and is not created.
  [[nodiscard]] static Result<std::unique_ptr<FolderStore>> open_existing(const std::string& folder);

  [[nodiscard]] std::string describe() const override { return folder_; }
  [[nodiscard]] std::string location(std::string_view name) const override;
  [[nodiscard]] Result<std::vector<StoredFile>> list() override;
  [[nodiscard]] Result<std::unique_ptr<BackupWriter>> create(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<BackupReader>> open(const std::string& name) override;
  [[nodiscard]] Result<void> remove(const std::string& name) override;
  [[nodiscard]] Result<std::optional<std::uint64_t>> free_space() override;
  [[nodiscard]] Result<int> clean(WallTime now) override;
  [[nodiscard]] std::string local_path(const std::string& name) const override;

 private:
  [[nodiscard]] static Result<std::string> path_of(const std::string& folder);
  [[nodiscard]] static Result<std::unique_ptr<FolderStore>> open_path(std::string path);
  explicit FolderStore(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
};

}  // namespace athanor
