// Backups in a folder: of this machine, or a mounted volume.
//
// A dump is written as ".athanor-<name>.part" with the writer's lock on it (flock), synced, and renamed when it is verified.
// The lock tells a dump in progress from one whose writer died: the system drops it with the process. Files are readable by
// their owner only.
//
// Threads: may be shared. Ownership: owns nothing but the folder's name.
#pragma once

#include <string>

#include "migrations/backup/backup_store.hpp"

namespace athanor {

class FolderStore final : public BackupStore {
 public:
  // Makes the folder when it is missing (its parent must be there).
  [[nodiscard]] static Result<std::unique_ptr<FolderStore>> open_folder(const std::string& folder);
  // For whoever only reads or deletes: a missing folder is BackupNotFound, and stays missing.
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
