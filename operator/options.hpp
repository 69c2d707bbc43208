// The command line of athanor-operator.
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/revision/source.hpp"
#include "operator/identity/cloud_endpoints.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/policy_floor.hpp"

namespace athanor::controller {

struct Options {
  // Standalone mode.
  std::string manifests;
  std::string state;  // empty: <manifests>/.athanor
  bool once = false;
  bool json = false;
  // Cluster mode.
  bool kube = false;
  std::string kubeconfig;  // empty: KUBECONFIG, the home folder's, or the pod's own
  std::string context;
  std::vector<std::string> namespaces;  // empty: all
  std::string selector;
  std::string namespace_selector;  // labels; empty: all watched namespaces
  bool leader_elect = true;
  std::string lease_name = "athanor-operator";
  std::string lease_namespace;  // empty: the pod's own
  std::string cache;            // empty: a new folder below the system's temporary folder
  std::string job_image;        // empty: no Jobs
  std::vector<std::string> job_service_accounts;
  std::vector<std::string> job_variables;  // that a resource may set
  std::string job_defaults;                // JSON in the form of spec.execution.job; empty: none
  PolicyFloor floor{.default_ssl_mode = "verify-full"};
  bool namespace_labels = false;
  std::string wait_for;  // NAMESPACE/NAME: wait for this resource and exit; empty: run the operator
  milliseconds wait_timeout{300'000};
  bool metrics_authentication = false;
  bool publish_plans = true;
  bool require_secret_label = false;
  bool database_auth = false;  // spec.database.auth is allowed
  CloudEndpoints endpoints;
  // Limits per namespace; 0: no limit.
  std::size_t max_resources = 0;
  std::uint64_t max_backup_bytes = 0;
  std::size_t max_config_map_reads = 0;  // per minute
  // Limits per source.
  std::uint64_t max_repository_bytes = std::uint64_t{512} << 20U;
  std::uint64_t max_artifact_bytes = std::uint64_t{256} << 20U;
  std::uint64_t max_cache_bytes = 0;       // 0: no limit
  std::vector<std::string> source_hosts;   // that spec.source.git may name; empty: all
  std::string extra_authorities;           // file of certificate authorities in addition to the system's
  std::vector<std::string> source_images;  // registries and prefixes that spec.source.image may name
  // Both modes.
  std::string listen;  // empty: 127.0.0.1:8080, or off with --once
  std::string tls_certificate;
  std::string tls_key;
  std::vector<std::string> source_roots;
  std::vector<std::string> secret_roots;
  std::vector<std::string> backup_roots;
  std::vector<std::string> database_hosts;  // that resources may name; empty: all
  std::size_t workers = 8;
  std::size_t per_server = 8;
  std::size_t per_namespace = 0;  // 0: three quarters of the workers, unless only one namespace is watched
  milliseconds grace_period{0};   // 0: no limit
  milliseconds resync{300'000};
  std::size_t resyncs_per_second = 2;
  SourceLimits limits{.max_source_bytes = std::uint64_t{512} << 20U};
  std::optional<LogLevel> log_level;  // empty: info, or warn with --once
  bool help = false;
  bool version = false;
};

// Parses the command line. Errors: Usage, with the option's name. `in_pod`: whether the process runs in a pod; then cluster
// mode is the default, unless --manifests is given.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments, bool in_pod = false);
// Returns the text of --help.
[[nodiscard]] std::string help_text();

}  // namespace athanor::controller
