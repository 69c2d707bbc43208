// How to reach an API server and prove who we are: from a kubeconfig file or from inside a pod.
//
// Kubeconfig: contexts, clusters and users as kubectl merges them from one or several files; `*-data` beats the file, tokenFile
// beats token; tls-server-name, insecure-skip-tls-verify, certificate-authority, client certificates, exec plugins (the
// plugin gets KUBERNETES_EXEC_INFO; its answer is kept until it expires); impersonation. What is not understood (auth-provider,
// proxy-url) is an error that says so, never a silent fall back to an anonymous request. In a pod: the projected token and CA
// file of the service account, host and port from the environment.
//
// Threads: ClusterAccess is a plain value; CredentialProvider is safe from any thread. Secrets: `ClusterAccess` holds keys and
// tokens; it is never printed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::controller {

struct ExecPlugin {
  std::string api_version;
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string install_hint;
  bool provide_cluster_info = false;
};

struct ClusterAccess {
  std::string server;           // "https://host:port[/prefix]"
  std::string tls_server_name;  // empty: the server's host
  bool skip_tls_verify = false;
  std::string ca_pem;   // empty: the system's
  std::string ca_file;  // re-read when it changes; wins over ca_pem when set
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string client_certificate_file;
  std::string client_key_file;
  std::string token;
  std::string token_file;  // re-read every 60 s and after a 401
  std::string username;
  std::string password;
  std::optional<ExecPlugin> exec;
  std::string impersonate;
  std::string impersonate_uid;
  std::vector<std::string> impersonate_groups;
  std::string name_space = "default";  // of the context, or of the pod
};

// Environment and home folder come from the composition root.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// `paths`: as in KUBECONFIG, the first file that says something wins. `context` empty: current-context.
[[nodiscard]] Result<ClusterAccess> read_kubeconfig(const std::vector<std::string>& paths, const std::string& context);
// `root`: /var/run/secrets/kubernetes.io/serviceaccount.
[[nodiscard]] Result<ClusterAccess> read_pod_access(const std::string& root, const EnvironmentLookup& environment);

// What a request is sent with, kept fresh.
class CredentialProvider {
 public:
  struct Credentials {
    std::string authorization;  // value of the header; empty: none
    std::string client_certificate_pem;
    std::string client_key_pem;
    std::uint64_t version = 0;  // grows when the certificate changes: connections are then made anew
  };
  virtual ~CredentialProvider() = default;
  // Comes back at once with what is good, though something newer is being fetched. Otherwise it waits: until there is
  // something, a stop is requested, or the deadline has passed.
  [[nodiscard]] virtual Result<Credentials> current(const StopToken& stop, SteadyTime deadline) = 0;
  [[nodiscard]] Result<Credentials> current() { return current(StopToken(), SteadyTime::max()); }
  // The server answered 401: what we have is no longer good.
  virtual void refused() = 0;
};
// `environment` finds a plugin's program (PATH). A plugin runs in a thread of its own, which nobody waits for longer than his
// request lasts, and ends with the provider.
[[nodiscard]] std::unique_ptr<CredentialProvider> make_credentials(const ClusterAccess& access, Clock& clock,
                                                                   EnvironmentLookup environment);

}  // namespace athanor::controller
