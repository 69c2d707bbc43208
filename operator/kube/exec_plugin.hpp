// Runs exec credential plugins (client.authentication.k8s.io): programs that print a token or a client certificate.
//
// Threads: safe from any thread. Secrets: standard output is one. Errors contain the plugin's name, its exit code and the
// sanitised beginning of its standard error, never its standard output.
#pragma once

#include <optional>

#include "migrations/base/stop.hpp"
#include "operator/kube/cluster_access.hpp"

namespace athanor::controller {

// What a plugin printed: a token, a client certificate with its key, or both. Without `expires` it is valid until a 401.
struct ExecCredential {
  std::string token;
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::optional<WallTime> expires;
};

// Runs `access.exec` (must be set) and blocks until it ends. Errors: ApiUnauthorized when the plugin is missing, fails, exceeds
// `timeout` or prints something invalid; Interrupted on a stop. The plugin is killed in the last two cases.
[[nodiscard]] Result<ExecCredential> run_exec_plugin(const ClusterAccess& access, const EnvironmentLookup& environment,
                                                     Clock& clock, const StopToken& stop, milliseconds timeout);
// Parses the plugin's standard output. Errors: ApiUnauthorized.
[[nodiscard]] Result<ExecCredential> parse_exec_credential(const std::string& output, const ExecPlugin& plugin);

}  // namespace athanor::controller
