#include "operator/kube/access_file.hpp"
#include "operator/kube/cluster_access.hpp"

namespace athanor::controller {

Result<ClusterAccess> read_pod_access(const std::string& root, const EnvironmentLookup& environment) {
  const std::string host = environment("KUBERNETES_SERVICE_HOST").value_or("");
  const std::string port = environment("KUBERNETES_SERVICE_PORT").value_or("");
  if (host.empty() || port.empty()) {
    return fail(
        Error(ErrorCode::Configuration, "not running in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
            .advise("name a kubeconfig file to reach a cluster from outside"));
  }
  ClusterAccess access;
  access.server = "https://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + port;
  access.token_file = root + "/token";
  access.ca_file = root + "/ca.crt";
  TRY_ASSIGN(const auto token, read_access_file(access.token_file, "the service account's token"));
  if (trimmed(token).empty()) {
    return fail(Error(ErrorCode::Configuration, "the service account's token is empty").at(access.token_file));
  }
  TRY(read_access_file(access.ca_file, "the cluster's certificate authority"));
  if (const auto name = read_access_file(root + "/namespace", "the pod's namespace"); name && !trimmed(*name).empty()) {
    access.name_space = trimmed(*name);
  }
  return access;
}

}  // namespace athanor::controller
