// Which paths a manifest may name.
//
// A path is relative to the manifest's folder, or absolute, and must, with every link resolved, be inside an allowed root: the
// folder of manifests, --source-root, --secret-root or --backup-root. Anything else is PathEscape, whether or not the file
// exists, so that a manifest cannot be used to probe the machine.
//
// On a cluster those who write resources in one namespace are not those of another: there a root is divided, and the resources
// of a namespace may name what lies in ROOT/NAMESPACE/ alone.
//
// Threads: immutable, safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

class AllowedRoots {
 public:
  // Resolves links in the roots. Io: a root is not a folder.
  [[nodiscard]] static Result<AllowedRoots> create(const std::vector<std::string>& roots);
  // The same, divided by namespaces.
  [[nodiscard]] static Result<AllowedRoots> create_divided(const std::vector<std::string>& roots);
  // The absolute path without resolving links, for watching it.
  [[nodiscard]] static std::string absolute(const std::string& folder, const std::string& path);
  // The canonical path. PathEscape: it is outside of every root; the error names `field` and the `option` that adds a root.
  [[nodiscard]] Result<std::string> resolve(const std::string& folder, const std::string& path, const std::string& field,
                                            const std::string& option) const;
  // The same for a resource of a namespace. Where roots are divided, a relative path begins in the namespace's folder of the
  // first root, and `folder` is not used.
  [[nodiscard]] Result<std::string> resolve_for(const std::string& name_space, const std::string& folder,
                                                const std::string& path, const std::string& field,
                                                const std::string& option) const;
  // The canonical path of `path` below the folder `part` of the first root. PathEscape: `path` is absolute or leads out of that
  // folder; `part` must be a single name.
  [[nodiscard]] Result<std::string> resolve_below(const std::string& part, const std::string& path,
                                                  const std::string& field) const;
  [[nodiscard]] const std::vector<std::string>& roots() const { return roots_; }

 private:
  std::vector<std::string> roots_;
  bool divided_ = false;
};

}  // namespace athanor::controller
