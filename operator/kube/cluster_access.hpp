// The address of an API server and the credentials for it, from a kubeconfig or from a pod's service account.
//
// Threads: ClusterAccess is a plain value; CredentialProvider is safe from any thread. Secrets: `ClusterAccess` holds keys and
// tokens and must never be printed.
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

// The exec section of a kubeconfig user: the program that supplies a token or a client certificate.
struct ExecPlugin {
  std::string api_version;
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string install_hint;
  bool provide_cluster_info = false;
};

// Where the API server is and how to authenticate to it.
struct ClusterAccess {
  std::string server;                    // "https://host:port[/prefix]"
  std::string called{"the API server"};  // in messages
  std::string tls_server_name;           // empty: the server's host
  bool skip_tls_verify = false;
  std::string ca_pem;   // empty: the system's authorities
  std::string ca_file;  // re-read when it changes; wins over ca_pem when set
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string client_certificate_file;
  std::string client_key_file;
  std::string token;
  std::string token_file;  // reloaded every 60 s and after a 401
  std::string username;
  std::string password;
  std::optional<ExecPlugin> exec;
  std::string impersonate;
  std::string impersonate_uid;
  std::vector<std::string> impersonate_groups;
  std::string name_space = "default";  // of the context, or of the pod
};

// Looks up an environment variable. Only the composition root reads the real environment.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// Reads and merges kubeconfig files as kubectl does: of several `paths` (KUBECONFIG) the first one to set a value wins,
// `*-data` wins over the file, tokenFile over token. `context` empty: current-context. Fields that are not supported
// (auth-provider, proxy-url, as-user-extra) are an error, so a request is never sent anonymously by accident. Errors:
// Configuration, Io, FileTooLarge.
[[nodiscard]] Result<ClusterAccess> read_kubeconfig(const std::vector<std::string>& paths, const std::string& context);
// Reads the service account of the pod that this process runs in: token, CA and namespace from `root`
// (/var/run/secrets/kubernetes.io/serviceaccount), host and port from KUBERNETES_SERVICE_HOST and _PORT. Errors: Configuration
// when this is not a pod, Io.
[[nodiscard]] Result<ClusterAccess> read_pod_access(const std::string& root, const EnvironmentLookup& environment);

// The current credentials for requests. Reloads files and runs the exec plugin when needed.
class CredentialProvider {
 public:
  struct Credentials {
    std::string authorization;  // value of the Authorization header; empty: none
    std::string client_certificate_pem;
    std::string client_key_pem;
    std::uint64_t version = 0;  // incremented when the client certificate changes: connections must be re-established
  };
  virtual ~CredentialProvider() = default;
  // Returns immediately while the current credentials are valid, even if newer ones are being fetched. Otherwise waits for the
  // exec plugin. Errors: Interrupted when `stop` is requested; ApiUnauthorized when the plugin fails or `deadline` passes; Io.
  [[nodiscard]] virtual Result<Credentials> current(const StopToken& stop, SteadyTime deadline) = 0;
  [[nodiscard]] Result<Credentials> current() { return current(StopToken(), SteadyTime::max()); }
  // Reports a 401: the next current() reloads the credentials, unless they were renewed less than a second ago.
  virtual void refused() = 0;
};
// Borrows `clock`. `environment` supplies PATH to find a plugin's program. The plugin runs in a separate thread, so that a
// slow plugin delays a request only until that request's deadline; the destructor ends it.
[[nodiscard]] std::unique_ptr<CredentialProvider> make_credentials(const ClusterAccess& access, Clock& clock,
                                                                   EnvironmentLookup environment);

}  // namespace athanor::controller
