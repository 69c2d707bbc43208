#include "operator/cluster_startup.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "migrations/backup/client_programs.hpp"
#include "migrations/base/program_path.hpp"
#include "operator/process_environment.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

constexpr const char* kPodFiles = "/var/run/secrets/kubernetes.io/serviceaccount";

std::vector<std::string> kubeconfig_paths(const Options& options) {
  if (!options.kubeconfig.empty()) {
    return {options.kubeconfig};
  }
  auto paths = split_path(environment_variable("KUBECONFIG").value_or(""));
  if (paths.empty()) {
    paths.push_back(environment_variable("HOME").value_or("") + "/.kube/config");
  }
  return paths;
}

}  // namespace

Result<ClusterAccess> find_cluster(const Options& options) {
  const bool in_pod = options.kubeconfig.empty() && options.context.empty() && !environment_variable("KUBECONFIG") &&
                      environment_variable("KUBERNETES_SERVICE_HOST");
  return in_pod ? read_pod_access(kPodFiles, environment_variable)
                : read_kubeconfig(kubeconfig_paths(options), options.context);
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("athanor");
}

Result<std::string> add_authorities(const Options& options, const std::string& folder) {
  if (options.extra_authorities.empty()) {
    return std::string();
  }
  // Reading a folder throws, and a device may have no end.
  std::error_code problem;
  const bool is_file = std::filesystem::is_regular_file(options.extra_authorities, problem);
  std::ifstream extra(is_file ? options.extra_authorities : std::string(), std::ios::binary);
  const std::string more{std::istreambuf_iterator<char>(extra), std::istreambuf_iterator<char>()};
  if (!extra || more.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return fail(Error(ErrorCode::Configuration, "--extra-ca-file cannot be read, or contains no certificate")
                    .at(options.extra_authorities)
                    .advise("name a file of certificates in PEM"));
  }
  const std::string path = folder + "/authorities.pem";
  std::ofstream joined(path, std::ios::binary);
  std::ifstream system(environment_variable("SSL_CERT_FILE").value_or(kSystemAuthorities), std::ios::binary);
  joined << std::string{std::istreambuf_iterator<char>(system), std::istreambuf_iterator<char>()} << '\n' << more << '\n';
  joined.close();
  if (!joined || ::setenv("SSL_CERT_FILE", path.c_str(), 1) != 0) {
    return fail(Error(ErrorCode::Io, "cannot be written").at(path));
  }
  return path;
}

GitEnvironment git_environment(const std::string& cache, const std::string& authorities) {
  GitEnvironment git;
  git.authorities = authorities;
  const std::string path = environment_variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  git.program = find_program("git", path);
  git.folder = cache + "/git";
  git.environment.push_back("PATH=" + path);
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
    if (const auto value = environment_variable(name)) {
      git.environment.push_back(std::string(name) + "=" + *value);
    }
  }
  return git;
}

Result<CacheFolder> CacheFolder::open(const Options& options) {
  const std::string parent = options.cache.empty() ? std::filesystem::temp_directory_path().string() : options.cache;
  std::string pattern = parent + "/athanor.XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail(Error(ErrorCode::Io, "cannot create a folder in " + parent).advise("name a writable folder: --cache DIR"));
  }
  return CacheFolder(pattern);
}

CacheFolder::~CacheFolder() {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace athanor::controller
