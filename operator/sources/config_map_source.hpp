// Reads revisions from ConfigMaps: every key with the name of a revision file is one, across all ConfigMaps that the resource
// names.
//
// A snapshot is made once per set of (name, uid, resourceVersion) and shared. The ConfigMaps are read by name when a resource
// is reconciled (recent_reads.hpp). An informer of their metadata (cluster.hpp), which does not store their content, reports
// that they changed. The same key in two ConfigMaps is an error, because neither has precedence.
//
// Threads: safe from any thread. Ownership: borrows the reads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "operator/kube/recent_reads.hpp"
#include "operator/reconcile/source_snapshot.hpp"

namespace athanor::controller {

class ConfigMapSource final : public SourceProvider {
 public:
  explicit ConfigMapSource(RecentReads& reads, SourceLimits limits = {}) : reads_(reads), limits_(limits) {}
  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

 private:
  struct Files {
    std::vector<MemorySource::File> revisions;
    std::map<std::string, std::string> config_maps;  // by key
    std::vector<std::string> ignored;                // the first few keys that are not revisions
    std::uint64_t bytes = 0;                         // of all revisions
  };
  struct Content {
    std::string identity;  // uid and resourceVersion of each
    std::string revision;  // the resourceVersions, for display
    std::vector<std::shared_ptr<const KubeObject>> objects;
  };
  [[nodiscard]] Result<Content> read(const DatabaseMigration& resource) const;
  [[nodiscard]] Result<void> add(const KubeObject& object, Files& files) const;
  [[nodiscard]] Result<Files> files_of(const Content& content) const;
  [[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> make_snapshot(const std::string& id, const Content& content) const;

  RecentReads& reads_;
  SourceLimits limits_;
  std::mutex mutex_;
  // By namespace and names: only the newest content.
  std::map<std::string, std::shared_ptr<SourceSnapshot>> newest_;
};

}  // namespace athanor::controller
