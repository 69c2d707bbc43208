#include "operator/sources/local_sources.hpp"

namespace athanor::controller {

Result<LoadedSource> LocalSources::load(const DatabaseMigration& resource) {
  const SourceSpec& source = resource.spec.source;
  TRY_ASSIGN(const auto folder, roots_.resolve_for(resource.metadata.name_space, resource.folder, source.path,
                                                   "spec.source.path", "--source-root"));
  return snapshots_.load(folder, source.recursive);
}

}  // namespace athanor::controller
