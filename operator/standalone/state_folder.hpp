// The state folder: one status file per resource, for users, scripts and the next start of the operator.
//
// Files are named <namespace>.<name>.status.yaml, are replaced atomically, are readable only by their owner (0600), and never
// contain a secret. At startup the operator reads back the generation, the transition times of conditions, and the history.
// Problems of manifests that name no resource go to problem.<file>.yaml.
//
// Threads: safe from any thread for different keys. Ownership: owns only the path.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "operator/api/status_codec.hpp"

namespace athanor::controller {

class StateFolder {
 public:
  // Creates the folder if it is missing. Error: Io when it cannot be written.
  [[nodiscard]] static Result<StateFolder> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  // Returns the stored state; nullopt when there is none or it is unreadable.
  [[nodiscard]] std::optional<StoredResource> read(const ResourceKey& key) const;
  // Replace a resource's state file, or the file with the problems of a manifest. Error: Io.
  [[nodiscard]] Result<void> write(const StoredResource& stored) const;
  [[nodiscard]] Result<void> write_problem(const std::string& file, const std::vector<Error>& errors) const;
  void remove(const ResourceKey& key) const;
  void remove_problem(const std::string& file) const;
  // Removes the files of all other resources and manifests, which were deleted while no operator was running.
  void keep_only(const std::vector<ResourceKey>& keys, const std::vector<std::string>& problem_files) const;

 private:
  explicit StateFolder(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] std::string file_of(const ResourceKey& key) const;
  [[nodiscard]] std::string problem_file_of(const std::string& file) const;
  [[nodiscard]] Result<void> replace(const std::string& file, const std::string& text) const;

  std::string path_;
};

}  // namespace athanor::controller
