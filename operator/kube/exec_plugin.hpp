// Exec plugins (client.authentication.k8s.io): a program of the user's that hands out a token or a client certificate.
//
// Threads: any; occupies the caller while the plugin runs. Secrets: the answer is one; errors show the plugin's name, its exit
// code and the sanitised beginning of its standard error, never its output.
#pragma once

#include <optional>

#include "migrations/base/stop.hpp"
#include "operator/kube/cluster_access.hpp"

namespace athanor::controller {

struct ExecCredential {
  std::string token;
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::optional<WallTime> expires;
};

[[nodiscard]] Result<ExecCredential> run_exec_plugin(const ClusterAccess& access, const EnvironmentLookup& environment,
                                                     Clock& clock, const StopToken& stop, milliseconds timeout);
// The plugin's standard output.
[[nodiscard]] Result<ExecCredential> parse_exec_credential(const std::string& output, const ExecPlugin& plugin);
// "2026-11-21T02:10:00Z", with fractions and offsets.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(const std::string& text);

}  // namespace athanor::controller
