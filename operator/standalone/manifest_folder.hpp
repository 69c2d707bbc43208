// The folder of manifests: *.yaml and *.yml files, flat, hidden ones passed over.
//
// scan() reads files that changed since the last scan and gives the whole picture: every resource, every problem. Two documents
// that declare the same resource are a problem of the later file; the earlier one (by file name, then by place) stands.
//
// Threads: one thread. Ownership: keeps the parsed manifests.
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
  // The error is about the folder itself; broken files are part of the picture.
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
