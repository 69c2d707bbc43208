#include "operator/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>

#include "migrations/options/flag_help.hpp"
#include "migrations/options/flag_parser.hpp"
#include "migrations/text/duration.hpp"
#include "migrations/text/suggestion.hpp"
#include "operator/api/spec_codec.hpp"
#include "operator/jobs/pod_template.hpp"
#include "operator/reconcile/allowed_hosts.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMostAtOnce = 256;

Error usage(const std::string& message) {
  return Error(ErrorCode::Usage, message).advise("see athanor-operator --help");
}

bool read_number(const std::string& text, std::size_t most, std::size_t& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stopped == end && value >= 1 && value <= most;
}

// Stores a value in the options. `name` is the flag's name, for errors.
using Take = Result<void> (*)(Options& options, const std::string& name, const std::string& value);

template <auto Member>
Result<void> text(Options& options, const std::string& /*name*/, const std::string& value) {
  options.*Member = value;
  return {};
}

template <auto Member>
Result<void> list(Options& options, const std::string& /*name*/, const std::string& value) {
  (options.*Member).push_back(value);
  return {};
}

Result<void> take_job_variable(Options& options, const std::string& name, const std::string& value) {
  if (!may_be_variable(value)) {
    return fail(usage(name + ": '" + value + "' is not a variable that a resource may set"));
  }
  options.job_variables.push_back(value);
  return {};
}

Result<void> take_job_defaults(Options& options, const std::string& name, const std::string& value) {
  if (const auto parsed = parse_job_defaults(value); !parsed) {
    return fail(usage(name + " " + parsed.error().message));
  }
  options.job_defaults = value;
  return {};
}

template <auto Member>
Result<void> take_host(Options& options, const std::string& name, const std::string& value) {
  if (const auto good = AllowedHosts::check_pattern(value); !good) {
    return fail(usage(name + ": '" + value + "' " + good.error().message));
  }
  (options.*Member).push_back(value);
  return {};
}

template <auto Member>
Result<void> set(Options& options, const std::string& /*name*/, const std::string& /*value*/) {
  options.*Member = true;
  return {};
}

template <auto Member>
Result<void> count(Options& options, const std::string& name, const std::string& value) {
  return read_number(value, kMostAtOnce, options.*Member) ? Result<void>()
                                                          : fail(usage(name + " takes a number from 1 to 256"));
}

Result<void> take_namespaces(Options& options, const std::string& name, const std::string& value) {
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t comma = std::min(value.find(',', begin), value.size());
    options.namespaces.push_back(value.substr(begin, comma - begin));
    if (!is_namespace_name(options.namespaces.back())) {
      return fail(usage(name + ": '" + options.namespaces.back() + "' is not a valid namespace name"));
    }
    begin = comma + 1;
  }
  return {};
}

template <auto Member, auto Parse>
Result<void> floor(Options& options, const std::string& name, const std::string& value) {
  auto parsed = Parse(value);
  if (!parsed) {
    return fail(usage(name + ": " + parsed.error().message));
  }
  options.floor.*Member = std::move(*parsed);
  return {};
}

Result<void> take_wait_for(Options& options, const std::string& name, const std::string& value) {
  const ResourceKey key = ResourceKey::parse(value);
  if (!is_namespace_name(key.name_space) || !is_resource_name(key.name)) {
    return fail(usage(name + " takes NAMESPACE/NAME"));
  }
  options.wait_for = value;
  options.kube = true;
  return {};
}

Result<void> take_wait_timeout(Options& options, const std::string& name, const std::string& value) {
  const auto duration = parse_duration(value);
  if (!duration || *duration > std::chrono::hours(24)) {
    return fail(usage(name + " takes a duration up to 24h"));
  }
  options.wait_timeout = *duration;
  return {};
}

template <bool Options::*Member>
Result<void> yes_or_no(Options& options, const std::string& name, const std::string& value) {
  if (value != "true" && value != "false") {
    return fail(usage(name + " takes true or false"));
  }
  options.*Member = value == "true";
  return {};
}

Result<void> take_resync(Options& options, const std::string& name, const std::string& value) {
  const auto duration = parse_duration(value);
  if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(24)) {
    return fail(usage(name + " takes a duration from 1s to 24h"));
  }
  options.resync = *duration;
  return {};
}

Result<void> take_grace_period(Options& options, const std::string& name, const std::string& value) {
  const auto duration = parse_duration(value);
  if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(24)) {
    return fail(usage(name + " takes a duration from 1s to 24h"));
  }
  options.grace_period = *duration;
  return {};
}

Result<void> take_max_files(Options& options, const std::string& name, const std::string& value) {
  return read_number(value, SIZE_MAX, options.limits.max_files) ? Result<void>()
                                                                : fail(usage(name + " takes a positive number"));
}

Result<void> take_max_file_size(Options& options, const std::string& name, const std::string& value) {
  const auto size = parse_size(value);
  if (!size || *size < 1) {
    return fail(usage(name + " takes bytes, or a number and KiB, MiB or GiB"));
  }
  options.limits.max_file_bytes = *size;
  return {};
}

Result<void> take_max_source_size(Options& options, const std::string& name, const std::string& value) {
  const auto size = parse_size(value);
  if (!size || *size < 1) {
    return fail(usage(name + " takes bytes, or a number and KiB, MiB or GiB"));
  }
  options.limits.max_source_bytes = *size;
  return {};
}

template <std::size_t Options::*Member>
Result<void> take_quota(Options& options, const std::string& name, const std::string& value) {
  return read_number(value, SIZE_MAX, options.*Member) ? Result<void>() : fail(usage(name + " takes a positive number"));
}

template <std::uint64_t Options::*Member>
Result<void> take_bytes(Options& options, const std::string& name, const std::string& value) {
  const auto size = parse_size(value);
  if (!size || *size < 1) {
    return fail(usage(name + " takes bytes, or a number and KiB, MiB or GiB"));
  }
  options.*Member = *size;
  return {};
}

Result<void> take_endpoint(Options& options, const std::string& name, const std::string& value) {
  if (const auto taken = options.endpoints.set(value); !taken) {
    return fail(usage(name + ": " + taken.error().message));
  }
  return {};
}

Result<void> take_log_level(Options& options, const std::string& /*name*/, const std::string& value) {
  TRY_ASSIGN(options.log_level, parse_log_level(value));
  return {};
}

// The last occurrence of a flag wins, so that arguments can be appended to those of a chart.
constexpr FlagSpec flag(std::string_view name, std::string_view value, std::string_view help, char letter = '\0') {
  return {name, letter, value, help, true};
}

// The flags, in the order of the help's three sections.
struct Row {
  FlagSpec flag;
  Take take;
};
constexpr std::array kRows{
    Row{flag("--kube", "", "serve the resources of a cluster: the pod's own or, outside a pod, the kubeconfig's"),
        set<&Options::kube>},
    Row{flag("--kubeconfig", "FILE", "default: $KUBECONFIG, then ~/.kube/config"), text<&Options::kubeconfig>},
    Row{flag("--context", "NAME", "context in the kubeconfig; default: its current-context"), text<&Options::context>},
    Row{flag("--watch-namespaces", "A,B", "namespaces to watch; default: all"), take_namespaces},
    Row{flag("--selector", "LABELS", "only resources with these labels"), text<&Options::selector>},
    Row{flag("--namespace-selector", "LABELS", "only namespaces with these labels; not with --watch-namespaces"),
        text<&Options::namespace_selector>},
    Row{flag("--leader-elect", "BOOL", "elect one of several replicas as leader; default true"),
        yes_or_no<&Options::leader_elect>},
    Row{flag("--lease-name", "NAME", "name of the Lease; default athanor-operator"), text<&Options::lease_name>},
    Row{flag("--lease-namespace", "NAME", "namespace of the Lease; default: the pod's own"), text<&Options::lease_namespace>},
    Row{flag("--cache", "DIR", "folder for Git repositories, artifacts and certificates; default: a temporary folder"),
        text<&Options::cache>},
    Row{flag("--job-image", "IMAGE", "image of the Jobs for execution.mode Job; default: Jobs are disabled"),
        text<&Options::job_image>},
    Row{flag("--job-service-account", "NAME", "service account that a podTemplate may use; may be repeated; default: none"),
        list<&Options::job_service_accounts>},
    Row{flag("--job-variable", "NAME", "variable that a resource may set in its Jobs; may be repeated; default: none"),
        take_job_variable},
    Row{flag("--job-defaults", "JSON", "defaults for spec.execution.job"), take_job_defaults},
    Row{flag("--source-image", "PREFIX",
             "registry, or registry and path, that spec.source.image may use; may be repeated; default: none"),
        list<&Options::source_images>},
    Row{flag("--source-host", "HOST", "host, or *.DOMAIN, that spec.source.git may name; may be repeated; default: all"),
        take_host<&Options::source_hosts>},
    Row{flag("--extra-ca-file", "FILE", "certificate authorities (PEM) in addition to the system's"),
        text<&Options::extra_authorities>},
    Row{flag("--minimum-approval", "POLICY", "minimum of spec.policy.approval: Never, Destructive or Always; default Never"),
        floor<&PolicyFloor::approval, parse_approval_policy>},
    Row{flag("--minimum-approvals", "N", "minimum of spec.policy.approvals, 1 to 10; default 1"),
        floor<&PolicyFloor::approvals, parse_approvals>},
    Row{flag("--minimum-backup", "WHEN",
             "minimum of spec.backup.when, and required: Never, Destructive or Always; default Never"),
        floor<&PolicyFloor::backup, parse_backup_when>},
    Row{flag("--minimum-ssl-mode", "MODE", "weakest sslmode allowed; default: no minimum"),
        floor<&PolicyFloor::ssl_mode, parse_ssl_mode>},
    Row{flag("--default-ssl-mode", "MODE", "sslmode of connections that specify none; default verify-full"),
        floor<&PolicyFloor::default_ssl_mode, parse_ssl_mode>},
    Row{flag("--inline-passwords", "WORD", "allow or refuse passwords in a resource; default allow"),
        floor<&PolicyFloor::inline_passwords, parse_inline_passwords>},
    Row{flag("--namespace-labels", "", "let labels of a Namespace make these policies stricter"),
        set<&Options::namespace_labels>},
    Row{flag("--publish-plans", "BOOL", "publish the SQL of plans that wait for approval in ConfigMaps; default true"),
        yes_or_no<&Options::publish_plans>},
    Row{flag("--require-secret-label", "", "read only Secrets with the label athanor.dev/allow: \"true\""),
        set<&Options::require_secret_label>},
    Row{flag("--database-auth", "", "create ServiceAccount tokens for databases (spec.database.auth)"),
        set<&Options::database_auth>},
    Row{flag("--cloud-endpoint", "NAME=URL",
             "use another server for aws-sts, gcp-sts, gcp-iam or azure-login; may be repeated; default: the provider's"),
        take_endpoint},
    Row{flag("--max-resources", "N", "resources served per namespace, the oldest first; default: no limit"),
        take_quota<&Options::max_resources>},
    Row{flag("--max-backup-size", "SIZE", "total size of a namespace's dumps; default: no limit"),
        take_bytes<&Options::max_backup_bytes>},
    Row{flag("--max-config-map-reads", "N", "ConfigMaps read per namespace and minute; default: no limit"),
        take_quota<&Options::max_config_map_reads>},
    Row{flag("--max-repository-size", "SIZE", "size of one Git fetch; default 512MiB"),
        take_bytes<&Options::max_repository_bytes>},
    Row{flag("--max-artifact-size", "SIZE", "size of one Flux artifact; default 256MiB"),
        take_bytes<&Options::max_artifact_bytes>},
    Row{flag("--max-cache-size", "SIZE", "cache size for all sources of one namespace; default: no limit"),
        take_bytes<&Options::max_cache_bytes>},
    Row{flag("--wait-for", "NAMESPACE/NAME", "only wait until this DatabaseMigration is Ready, then exit"), take_wait_for},
    Row{flag("--wait-timeout", "DURATION", "timeout of --wait-for; default 5m"), take_wait_timeout},
    Row{flag("--metrics-authentication", "", "require the token of a user who may get /metrics; probes stay open"),
        set<&Options::metrics_authentication>},
    Row{flag("--manifests", "DIR", "folder of manifests (*.yaml, *.yml)"), text<&Options::manifests>},
    Row{flag("--state", "DIR", "folder for status files; default: .athanor in the folder of manifests"), text<&Options::state>},
    Row{flag("--once", "", "reconcile every resource once, print a summary and exit"), set<&Options::once>},
    Row{flag("--json", "", "with --once: print the summary as JSON"), set<&Options::json>},
    Row{flag("--source-root", "DIR", "folder that spec.source.path may name; may be repeated"), list<&Options::source_roots>},
    Row{flag("--secret-root", "DIR", "folder that may contain secret files; may be repeated"), list<&Options::secret_roots>},
    Row{flag("--backup-root", "DIR", "folder that spec.backup.path may name; may be repeated"), list<&Options::backup_roots>},
    Row{flag("--database-host", "HOST", "host, or *.DOMAIN, that a database may be on; may be repeated; default: all"),
        take_host<&Options::database_hosts>},
    Row{flag("--listen", "ADDR:PORT",
             "serve /metrics, /healthz and /readyz here, or off; default 127.0.0.1:8080, off with --once"),
        text<&Options::listen>},
    Row{flag("--tls-cert-file", "FILE", "serve over TLS with this certificate and its chain (PEM); reloaded when it changes"),
        text<&Options::tls_certificate>},
    Row{flag("--tls-private-key-file", "FILE", "its key (PEM)"), text<&Options::tls_key>},
    Row{flag("--workers", "N", "databases reconciled concurrently; default 8"), count<&Options::workers>},
    Row{flag("--per-server", "N", "maximum of these on one database server; default 8"), count<&Options::per_server>},
    Row{flag("--per-namespace", "N",
             "maximum of these in one namespace; default: three quarters, or all if one namespace is watched"),
        count<&Options::per_namespace>},
    Row{flag("--grace-period", "DURATION",
             "after SIGTERM, cancel migrations that run longer; default: wait for their next safe point"),
        take_grace_period},
    Row{flag("--resync", "DURATION", "period in which every database is observed once, even if nothing changed; default 5m"),
        take_resync},
    Row{flag("--resyncs-per-second", "N", "maximum of resyncs per second; default 2"), count<&Options::resyncs_per_second>},
    Row{flag("--max-files", "N", "maximum of revision files in one source; default 100000"), take_max_files},
    Row{flag("--max-file-size", "SIZE", "largest revision file; default 64MiB"), take_max_file_size},
    Row{flag("--max-source-size", "SIZE", "maximum size of all revision files of one source; default 512MiB"),
        take_max_source_size},
    Row{flag("--log-level", "LEVEL", "debug, info, warn or error; default info (warn with --once)"), take_log_level},
    Row{flag("--help", "", "print this help", 'h'), set<&Options::help>},
    Row{flag("--version", "", "print the version", 'V'), set<&Options::version>},
};

// The number of rows before this flag.
consteval std::size_t rows_before(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kRows, name, [](const Row& row) { return row.flag.name; }) - kRows.begin());
}
constexpr std::size_t kOfCluster = rows_before("--manifests");
constexpr std::size_t kOfManifests = rows_before("--source-root") - kOfCluster;

constexpr auto kFlags = [] {
  std::array<FlagSpec, kRows.size()> flags;
  std::ranges::transform(kRows, flags.begin(), &Row::flag);
  return flags;
}();

Error unknown(const std::string& typed) {
  std::vector<std::string_view> names;
  std::ranges::transform(kFlags, std::back_inserter(names), &FlagSpec::name);
  const auto near = closest_name(typed, names);
  return usage("unknown option '" + typed + "'" + (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
}

Error describe(const FlagFault& fault) {
  switch (fault.kind) {
    case FlagFault::Kind::NeedsValue:
      return usage(fault.typed + " needs a value");
    case FlagFault::Kind::TakesNoValue:
      return usage(fault.typed + " takes no value");
    case FlagFault::Kind::Unknown:
    case FlagFault::Kind::Twice:  // cannot happen: every option may be repeated
      break;
  }
  return unknown(fault.typed);
}

// Options of the other mode are errors, not ignored.
Result<void> check_mode(const Options& options) {
  if (options.kube && !options.manifests.empty()) {
    return fail(usage("--kube and --manifests cannot be combined"));
  }
  if (options.kube && (options.once || !options.state.empty())) {
    return fail(usage("--once and --state need --manifests"));
  }
  const bool of_cluster = !options.kubeconfig.empty() || !options.context.empty() || !options.namespaces.empty() ||
                          !options.selector.empty() || !options.namespace_selector.empty() ||
                          !options.lease_namespace.empty() || !options.job_image.empty() || options.namespace_labels ||
                          options.require_secret_label || !options.source_images.empty() || options.metrics_authentication ||
                          options.database_auth || options.endpoints != CloudEndpoints() || options.floor != Options().floor ||
                          !options.job_variables.empty() || !options.job_defaults.empty() || !options.source_hosts.empty() ||
                          !options.extra_authorities.empty();
  if (!options.manifests.empty() && of_cluster) {
    return fail(
        usage("--kubeconfig, --context, --watch-namespaces, --selector, --namespace-selector, --lease-namespace, --job-image, "
              "--metrics-authentication, --database-auth, --cloud-endpoint and the minimums of policies need --kube"));
  }
  if (!options.namespace_selector.empty() && !options.namespaces.empty()) {
    return fail(usage("--namespace-selector and --watch-namespaces exclude each other"));
  }
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return fail(usage("--tls-cert-file and --tls-private-key-file must be given together"));
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments, bool in_pod) {
  const std::vector<std::string_view> words(arguments.begin(), arguments.end());
  FlagParser parser(
      kFlags, [](std::string_view word) -> Result<void> { return fail(unknown(std::string(word))); }, describe);
  TRY_ASSIGN(const auto all, parser.parse(words));
  Options options;
  for (const GivenFlag& given : all) {
    const std::string name(given.flag->name);
    if (!given.flag->value.empty() && given.value.empty()) {
      return fail(usage(name + " needs a value"));
    }
    TRY(kRows.at(static_cast<std::size_t>(given.flag - kFlags.data())).take(options, name, std::string(given.value)));
  }
  // Either of them implies cluster mode.
  const bool implied = in_pod || !options.kubeconfig.empty() || !options.context.empty();
  options.kube = options.kube || (options.manifests.empty() && implied);
  if (options.help || options.version) {
    return options;
  }
  if (!options.kube && options.manifests.empty()) {
    return fail(usage("--manifests DIR or --kube is required"));
  }
  TRY(check_mode(options));
  return options;
}

std::string help_text() {
  const std::span<const FlagSpec> flags(kFlags);
  std::string text = R"(athanor-operator: keeps PostgreSQL databases at the revisions that DatabaseMigration resources declare.

Usage:
  athanor-operator --kube [options]            resources of a Kubernetes cluster; the default in a pod
  athanor-operator --manifests DIR [options]   manifests in a folder, no cluster

Migrates every database to its declared revision whenever a resource, its revisions or its credentials change.
Logs are JSON lines on standard error.

On a cluster:
)";
  text += flag_lines(flags.first(kOfCluster));
  text += "\nWithout a cluster:\n" + flag_lines(flags.subspan(kOfCluster, kOfManifests));
  text += "\nIn both modes:\n" + flag_lines(flags.subspan(kOfCluster + kOfManifests));
  text += R"(
Exit codes:
  0    ended by SIGTERM or SIGINT; with --once: every resource is Ready
  1    with --once: a resource is not Ready, or a manifest cannot be read; on a cluster: leadership was lost
  2    usage error
  3    a folder cannot be read or written, or the operator cannot listen on the address
  12   the API server cannot be used

Examples:
  athanor-operator --kube --watch-namespaces shop,billing
  athanor-operator --manifests deploy/databases --source-root migrations
  athanor-operator --manifests deploy/databases --once --json
)";
  return text;
}

}  // namespace athanor::controller
