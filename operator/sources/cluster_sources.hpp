// Sources on a cluster: which provider serves which kind of spec.source.
//
// Each provider hands out snapshots (reconcile/source_snapshot.hpp) that are made once per content and shared by every resource
// that names it: a ConfigMap's by uid and resourceVersion, Git's by commit, Flux's by the artifact's digest, a folder's by the
// marks of its files. Limits on size and number of files hold for all of them.
//
// Threads: safe from any thread. Ownership: borrows the providers.
#pragma once

#include <memory>

#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

struct SourceProviders {
  SourceProvider* path = nullptr;
  SourceProvider* config_maps = nullptr;
  SourceProvider* git = nullptr;
  SourceProvider* flux = nullptr;
};

class ClusterSources final : public SourceProvider {
 public:
  explicit ClusterSources(SourceProviders providers) : providers_(providers) {}
  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

 private:
  SourceProviders providers_;
};

}  // namespace athanor::controller
