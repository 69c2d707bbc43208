// Reads revisions from folders of this machine, inside the allowed roots.
//
// Threads: safe from any thread. Ownership: borrows the clock.
#pragma once

#include <utility>

#include "operator/reconcile/source_snapshot.hpp"
#include "operator/sources/allowed_roots.hpp"

namespace athanor::controller {

class LocalSources final : public SourceProvider {
 public:
  LocalSources(AllowedRoots roots, Clock& clock, SourceLimits limits = {})
      : roots_(std::move(roots)), snapshots_(clock, limits) {}
  // Errors: PathEscape, and those of FolderSnapshots::load().
  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

 private:
  AllowedRoots roots_;
  FolderSnapshots snapshots_;
};

}  // namespace athanor::controller
