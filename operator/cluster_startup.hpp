// What the operator finds in its environment before it can reach a cluster.
//
// Threads: call before there are threads; CacheFolder belongs to one owner.
#pragma once

#include <string>
#include <utility>

#include "operator/kube/cluster_access.hpp"
#include "operator/options.hpp"
#include "operator/sources/git_source.hpp"

namespace athanor::controller {

// The cluster to work on: --kubeconfig, --context or KUBECONFIG, else the pod's own service account, else ~/.kube/config.
[[nodiscard]] Result<ClusterAccess> find_cluster(const Options& options);

// "athanor" where the host has no name. In a pod, the pod's name.
[[nodiscard]] std::string host_name();

// Where git is and what it may see of the environment: PATH and proxies.
[[nodiscard]] GitEnvironment git_environment(const std::string& cache);

// A folder of this process alone, removed with its contents when destroyed.
class CacheFolder {
 public:
  [[nodiscard]] static Result<CacheFolder> open(const Options& options);
  ~CacheFolder();
  CacheFolder(CacheFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  CacheFolder& operator=(CacheFolder&&) = delete;
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit CacheFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty: moved from
};

}  // namespace athanor::controller
