// What the operator reads from its environment before it can reach a cluster.
//
// Threads: call it before there are other threads; a CacheFolder has one owner.
#pragma once

#include <string>
#include <utility>

#include "operator/kube/cluster_access.hpp"
#include "operator/options.hpp"
#include "operator/sources/git_source.hpp"

namespace athanor::controller {

// Returns the cluster to use: from --kubeconfig, --context or KUBECONFIG, else the pod's service account, else ~/.kube/config.
[[nodiscard]] Result<ClusterAccess> find_cluster(const Options& options);

// Returns the host's name, in a pod the pod's name; "athanor" when it has none.
[[nodiscard]] std::string host_name();

// Writes the system's certificate authorities and those of --extra-ca-file to one file in `folder`, points OpenSSL at it
// (SSL_CERT_FILE), and returns its path; empty without --extra-ca-file. Call it before any thread starts. Errors: Configuration
// when the file cannot be read or contains no certificate; Io when the new file cannot be written.
[[nodiscard]] Result<std::string> add_authorities(const Options& options, const std::string& folder);

// Returns where git is and which variables it may see: PATH and proxies. `authorities`: the file from add_authorities().
[[nodiscard]] GitEnvironment git_environment(const std::string& cache, const std::string& authorities);

// A folder private to this process, deleted with its contents in the destructor.
class CacheFolder {
 public:
  // Creates a folder below --cache, or below the system's temporary folder. Error: Io.
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
