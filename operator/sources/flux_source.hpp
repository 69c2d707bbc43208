// Reads revisions from the artifacts of Flux sources: GitRepository, OCIRepository, Bucket (source.toolkit.fluxcd.io/v1).
//
// The status of the Flux source contains the address, SHA-256 and size of its artifact. An artifact is fetched once per digest,
// verified before it is unpacked, unpacked strictly (artifact_archive.hpp), and shared by all resources that name the source. A
// source that is not Ready is a retryable error with the source's own message. An informer (cluster.hpp) reports that the
// source changed.
//
// Threads: safe from any thread; concurrent loads of the same content do the work once. Ownership: borrows reader, fetcher and
// clock.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "operator/kube/api_client.hpp"
#include "operator/kube/artifact_fetcher.hpp"
#include "operator/reconcile/source_snapshot.hpp"
#include "operator/sources/cache_quota.hpp"
#include "operator/sources/single_flight.hpp"

namespace athanor::controller {

struct FluxOptions {
  std::string folder;  // the cache; created at first use
  milliseconds timeout{120'000};
  std::uint64_t max_artifact_bytes = std::uint64_t{256} << 20U;
  SourceLimits limits;
  std::shared_ptr<const CacheQuota> quota = std::make_shared<CacheQuota>(0, milliseconds(0));
};

class FluxArtifacts final : public SourceProvider {
 public:
  FluxArtifacts(KubeReader& reader, ArtifactFetcher& fetcher, Clock& clock, FluxOptions options, StopToken stop)
      : reader_(reader), fetcher_(fetcher), clock_(clock), options_(std::move(options)), stop_(stop) {}
  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

 private:
  struct Artifact {
    std::string url;
    std::string sha256;
    std::string revision;
    std::uint64_t size = 0;  // 0: not stated
  };
  struct Kept {
    explicit Kept(Clock& clock) : work(clock) {}
    SingleFlight<std::shared_ptr<SourceSnapshot>> work;
    SteadyTime used;
  };
  [[nodiscard]] Result<Artifact> find_artifact(const ResourceType& type, const DatabaseMigration& resource) const;
  [[nodiscard]] std::shared_ptr<Kept> entry(const std::string& place);
  [[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> make(const Artifact& artifact, const DatabaseMigration& resource,
                                                             const std::string& id) const;
  [[nodiscard]] Result<void> download(const Artifact& artifact, const std::string& file, const std::string& name_space) const;

  KubeReader& reader_;
  ArtifactFetcher& fetcher_;
  Clock& clock_;
  FluxOptions options_;
  StopToken stop_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Kept>> kept_;  // by namespace, source and folder: the newest
};

// The supported kinds of Flux sources. A cluster may have only some of them installed.
[[nodiscard]] const std::vector<ResourceType>& flux_types();

}  // namespace athanor::controller
