#include "operator/sources/cluster_sources.hpp"

namespace athanor::controller {

Result<LoadedSource> ClusterSources::load(const DatabaseMigration& resource) {
  const SourceSpec& source = resource.spec.source;
  SourceProvider* provider = providers_.path;
  if (!source.config_maps.empty()) {
    provider = providers_.config_maps;
  } else if (source.git) {
    provider = providers_.git;
  } else if (source.flux) {
    provider = providers_.flux;
  }
  if (provider == nullptr) {
    return fail(Error(ErrorCode::Io, "this operator does not support sources of the kind " + std::string(source.kind()))
                    .with_retry(RetryClass::Terminal)
                    .advise("use another source, or start the operator with --source-root or --cache"));
  }
  return provider->load(resource);
}

}  // namespace athanor::controller
