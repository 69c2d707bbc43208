// Reads revisions from Git repositories: from a commit, or from the commit that a tag or branch points to.
//
// The cache holds one bare, shallow repository per URL and credentials, which fetches single commits. The server is asked what
// a tag or branch points to once per interval (GitSource::interval), for all resources that name it, by poll() and by
// reconciles in between. It is asked immediately when a resource was changed or a retry was requested. A snapshot is made once
// per commit and folder and shared by all resources; the files of a commit are deleted with its last snapshot. While a
// repository cannot be reached, the last known commit is used for a while, marked as doubtful; a resource that was changed in
// the meantime gets the error instead.
//
// A resource without the credentials shares nothing with one that has them: the Secret is read each time, and its content is
// part of the repository's key.
//
// Threads: safe from any thread; concurrent loads of the same content do the work once. Ownership: borrows reader and clock;
// owns its folders in the cache and deletes them.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "operator/kube/api_client.hpp"
#include "operator/reconcile/allowed_hosts.hpp"
#include "operator/reconcile/source_snapshot.hpp"
#include "operator/sources/cache_quota.hpp"
#include "operator/sources/git_command.hpp"

namespace athanor::controller {

struct GitOptions {
  std::string folder;                   // the cache; created at first use
  milliseconds requeue_after{240'000};  // for how long the target of a tag or branch is reused
  milliseconds outage{900'000};         // for how long it is reused while the server cannot be reached
  std::uint64_t max_repository_bytes = std::uint64_t{512} << 20U;
  SourceLimits limits;
  std::shared_ptr<const CacheQuota> quota = std::make_shared<CacheQuota>(0, milliseconds(0));
  AllowedHosts hosts;             // that a repository may be on
  bool labelled_secrets = false;  // use only Secrets with the label of secret_label.hpp
  // For how long unused repositories and snapshots are kept.
  [[nodiscard]] milliseconds keep_unused() const { return std::max(4 * requeue_after, outage); }
};

class GitRepositories final : public SourceProvider {
 public:
  // `surroundings.folder` must be GitOptions::folder. Borrows `secrets` and `clock`.
  GitRepositories(KubeReader& secrets, Clock& clock, GitOptions options, GitEnvironment surroundings, StopToken stop);
  ~GitRepositories() override;
  GitRepositories(const GitRepositories&) = delete;
  GitRepositories& operator=(const GitRepositories&) = delete;

  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

  // A resource whose tag or branch has moved since it was last loaded, and its new target in the form of
  // SourceStatus::revision.
  struct Moved {
    ResourceKey key;
    std::string revision;
  };
  // Asks the servers what the tags and branches of loaded resources point to, each once per GitSource::interval, with the
  // credentials that load() read. Blocks. `wanted`: whether the resource still has this source; other resources are forgotten.
  // Ignores errors: load() reports them.
  [[nodiscard]] std::vector<Moved> poll(const std::function<bool(const ResourceKey& key, const GitSource& source)>& wanted);

 private:
  class Repository;
  struct Followed {
    std::shared_ptr<Repository> repository;
    GitSource source;
    std::string revision;  // as of the last load
    SteadyTime due;
  };
  void follow(const ResourceKey& key, std::shared_ptr<Repository> repository, const GitSource& source,
              const LoadedSource& loaded);
  [[nodiscard]] Result<GitCredentials> read_credentials(const DatabaseMigration& resource) const;
  [[nodiscard]] Result<std::shared_ptr<Repository>> repository(const std::string& url, const GitCredentials& credentials);
  [[nodiscard]] bool changed(const ResourceKey& key, const std::string& declaration);
  void answered(const ResourceKey& key, const std::string& declaration);

  KubeReader& secrets_;
  Clock& clock_;
  GitOptions options_;
  GitCommand git_;
  std::string salt_;  // so that folder names do not allow guessing a password
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Repository>> repositories_;
  std::map<ResourceKey, Followed> followed_;     // tags and branches
  std::map<ResourceKey, std::string> declared_;  // each resource's declaration at its last successful load
};

}  // namespace athanor::controller
