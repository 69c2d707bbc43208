// Selects the provider for the kind of spec.source on a cluster.
//
// Each provider returns snapshots (reconcile/source_snapshot.hpp). A snapshot is made once per content and shared by all
// resources that name it: by uid and resourceVersion for ConfigMaps, by commit for Git, by the artifact's digest and revision
// for Flux, by the files' marks for a folder. All have limits on size and number of files.
//
// Threads: safe from any thread. Ownership: borrows the providers.
#pragma once

#include <memory>

#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

// The provider for each kind; null when the operator does not support it.
struct SourceProviders {
  SourceProvider* path = nullptr;
  SourceProvider* config_maps = nullptr;
  SourceProvider* git = nullptr;
  SourceProvider* flux = nullptr;
};

class ClusterSources final : public SourceProvider {
 public:
  explicit ClusterSources(SourceProviders providers) : providers_(providers) {}
  // Errors: Io (terminal) when the operator has no provider for this kind; otherwise the provider's.
  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

 private:
  SourceProviders providers_;
};

}  // namespace athanor::controller
