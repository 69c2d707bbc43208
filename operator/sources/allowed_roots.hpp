// Restricts which paths a manifest may name.
//
// A path is relative to the manifest's folder, or absolute. With every symbolic link resolved it must be inside an allowed
// root: the folder of manifests, --source-root, --secret-root or --backup-root. Anything else is PathEscape, whether or not the
// file exists, so that a manifest cannot be used to probe the file system.
//
// On a cluster, different people write the resources of different namespaces. There a root is divided: the resources of a
// namespace may name only paths inside ROOT/NAMESPACE/.
//
// Threads: immutable, safe from any thread.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

class AllowedRoots {
 public:
  // Resolves the links in the roots. Error: Io when a root is not a folder.
  [[nodiscard]] static Result<AllowedRoots> create(const std::vector<std::string>& roots);
  // As create(), with roots divided by namespace.
  [[nodiscard]] static Result<AllowedRoots> create_divided(const std::vector<std::string>& roots);
  // Returns the absolute path without resolving links, for watching it.
  [[nodiscard]] static std::string absolute(const std::string& folder, const std::string& path);
  // Returns the canonical path. Error: PathEscape when it is outside every root; the error names `field` and the `option` that
  // adds a root.
  [[nodiscard]] Result<std::string> resolve(const std::string& folder, const std::string& path, const std::string& field,
                                            const std::string& option) const;
  // As resolve(), for a resource of a namespace. When roots are divided, a relative path starts in the namespace's folder of
  // the first root, and `folder` is ignored.
  [[nodiscard]] Result<std::string> resolve_for(const std::string& name_space, const std::string& folder,
                                                const std::string& path, const std::string& field,
                                                const std::string& option) const;
  // Returns the canonical path of `path` below the folder `part` of the first root; `part` must be a single name. Error:
  // PathEscape when `path` is absolute or leads out of that folder.
  [[nodiscard]] Result<std::string> resolve_below(const std::string& part, const std::string& path,
                                                  const std::string& field) const;
  [[nodiscard]] const std::vector<std::string>& roots() const { return roots_; }

 private:
  std::vector<std::string> roots_;
  bool divided_ = false;
};

}  // namespace athanor::controller
