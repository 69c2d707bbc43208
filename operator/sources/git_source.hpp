// Revisions from Git repositories: a commit, or what a tag or branch points to.
//
// Per repository and credentials there is one bare, shallow repository in the cache, which fetches single commits. What a tag
// or branch points to is asked once per interval (GitSource::interval) for all resources that name it, by poll() and by whoever
// is reconciled meanwhile, and at once when a resource was changed or asked for a retry. A snapshot is made once per commit and
// folder and shared by all resources; files of a commit go with the last snapshot of it. While a repository cannot be reached,
// the commit that was known is handed out for a while, with the doubt that it still is the one; a resource that was changed
// meanwhile gets the error alone.
//
// Whoever does not have the credentials shares nothing with those who have them: the Secret is read each time, and its content
// is part of what a repository is known by.
//
// Threads: safe from any thread; of those who want the same, one works and the others wait. Ownership: borrows reader and
// clock; owns its part of the cache, which goes with it.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "operator/kube/api_client.hpp"
#include "operator/reconcile/source_snapshot.hpp"
#include "operator/sources/git_command.hpp"

namespace athanor::controller {

struct GitOptions {
  std::string folder;                   // of the cache; made at first use
  milliseconds requeue_after{240'000};  // how long what a tag or branch points to is taken as known
  milliseconds outage{900'000};         // and how long it is remembered while the repository cannot be reached
  std::uint64_t max_repository_bytes = std::uint64_t{512} << 20U;
  SourceLimits limits;
  bool labelled_secrets = false;  // only those that carry the label of secret_label.hpp
  // How long what nobody asks for is kept.
  [[nodiscard]] milliseconds keep_unused() const { return std::max(4 * requeue_after, outage); }
};

class GitRepositories final : public SourceProvider {
 public:
  // The surroundings' folder is GitOptions::folder.
  GitRepositories(KubeReader& secrets, Clock& clock, GitOptions options, GitEnvironment surroundings, StopToken stop);
  ~GitRepositories() override;
  GitRepositories(const GitRepositories&) = delete;
  GitRepositories& operator=(const GitRepositories&) = delete;

  [[nodiscard]] Result<LoadedSource> load(const DatabaseMigration& resource) override;

  // A resource whose tag or branch points elsewhere than when it was loaded last, and where to, as SourceStatus::revision has
  // it.
  struct Moved {
    ResourceKey key;
    std::string revision;
  };
  // Asks what the tags and branches of loaded resources point to, each once in its GitSource::interval, with the credentials
  // that load() read. `wanted`: whether the resource still has this source; the others are forgotten. Errors are left to
  // load().
  [[nodiscard]] std::vector<Moved> poll(const std::function<bool(const ResourceKey& key, const GitSource& source)>& wanted);

 private:
  class Repository;
  struct Followed {
    std::shared_ptr<Repository> repository;
    GitSource source;
    std::string revision;  // when it was loaded last
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
  std::string salt_;  // so that no name on disk tells anything about a password
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Repository>> repositories_;
  std::map<ResourceKey, Followed> followed_;     // tags and branches
  std::map<ResourceKey, std::string> declared_;  // what each resource said when it last had an answer
};

}  // namespace athanor::controller
