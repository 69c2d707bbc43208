// The folder of manifests: *.yaml and *.yml files, without subfolders and hidden files.
//
// scan() reads the files that changed since the last scan and returns a snapshot of all resources and all problems. When two
// documents declare the same resource, the first one (by file name, then by position) counts and the other is a problem.
//
// Threads: one thread. Ownership: keeps the parsed manifests; borrows the clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "operator/api/manifest.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

struct ManifestSnapshot {
  std::vector<DatabaseMigration> resources;
  std::map<std::string, std::vector<ManifestProblem>> problems;  // by file name
};

class ManifestFolder {
 public:
  ManifestFolder(std::string path, Clock& clock) : path_(std::move(path)), clock_(clock) {}
  // Reads changed manifests. The error is about the folder itself; broken files are problems in the snapshot.
  [[nodiscard]] Result<ManifestSnapshot> scan();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Entry {
    FileMark mark;
    bool fresh = true;
    Manifest manifest;
  };
  [[nodiscard]] Manifest read(const std::string& file) const;

  std::string path_;
  Clock& clock_;
  std::map<std::string, Entry> entries_;  // by path
};

}  // namespace athanor::controller
