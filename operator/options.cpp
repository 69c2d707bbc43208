#include "operator/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <string_view>
#include <utility>

#include "migrations/text/duration.hpp"
#include "migrations/text/suggestion.hpp"
#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

Error usage(const std::string& message) {
  return Error(ErrorCode::Usage, message).advise("see athanor-operator --help");
}

Result<void> read_count(const std::string& name, const std::string& text, std::size_t& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1 || value > 256) {
    return fail(usage(name + " takes a number from 1 to 256"));
  }
  return {};
}

Result<void> read_resync(const std::string& text, milliseconds& value) {
  auto duration = parse_duration(text);
  if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(24)) {
    return fail(usage("--resync takes a duration from 1s to 24h"));
  }
  value = *duration;
  return {};
}

Result<void> read_max_files(const std::string& text, std::size_t& value) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stopped != end || value < 1) {
    return fail(usage("--max-files takes a number from 1 on"));
  }
  return {};
}

Result<void> read_max_file_size(const std::string& text, std::size_t& value) {
  const auto size = parse_size(text);
  if (!size || *size < 1) {
    return fail(usage("--max-file-size takes bytes, or a number and KiB, MiB or GiB"));
  }
  value = *size;
  return {};
}

Result<void> read_namespaces(const std::string& text, std::vector<std::string>& values) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    values.push_back(text.substr(begin, comma - begin));
    if (!is_namespace_name(values.back())) {
      return fail(usage("--watch-namespaces: '" + values.back() + "' is not the name of a namespace"));
    }
    begin = comma + 1;
  }
  return {};
}

Result<void> read_switch(const std::string& name, const std::string& text, bool& value) {
  if (text != "true" && text != "false") {
    return fail(usage(name + " takes true or false"));
  }
  value = text == "true";
  return {};
}

std::string* text_of(Options& options, std::string_view name) {
  const std::array<std::pair<std::string_view, std::string*>, 10> texts{{{"--manifests", &options.manifests},
                                                                         {"--state", &options.state},
                                                                         {"--listen", &options.listen},
                                                                         {"--kubeconfig", &options.kubeconfig},
                                                                         {"--context", &options.context},
                                                                         {"--selector", &options.selector},
                                                                         {"--lease-name", &options.lease_name},
                                                                         {"--lease-namespace", &options.lease_namespace},
                                                                         {"--cache", &options.cache},
                                                                         {"--job-image", &options.job_image}}};
  const auto* const found = std::ranges::find(texts, name, &std::pair<std::string_view, std::string*>::first);
  return found == texts.end() ? nullptr : found->second;
}

std::vector<std::string>* list_of(Options& options, std::string_view name) {
  if (name == "--source-root") {
    return &options.source_roots;
  }
  if (name == "--secret-root") {
    return &options.secret_roots;
  }
  return name == "--backup-root" ? &options.backup_roots : nullptr;
}

Result<void> take_value(Options& options, const std::string& name, const std::string& value) {
  if (value.empty()) {
    return fail(usage(name + " needs a value"));
  }
  if (std::string* text = text_of(options, name)) {
    *text = value;
  } else if (auto* list = list_of(options, name)) {
    list->push_back(value);
  } else if (name == "--watch-namespaces") {
    return read_namespaces(value, options.namespaces);
  } else if (name == "--leader-elect") {
    return read_switch(name, value, options.leader_elect);
  } else if (name == "--workers") {
    return read_count(name, value, options.workers);
  } else if (name == "--per-server") {
    return read_count(name, value, options.per_server);
  } else if (name == "--resyncs-per-second") {
    return read_count(name, value, options.resyncs_per_second);
  } else if (name == "--resync") {
    return read_resync(value, options.resync);
  } else if (name == "--max-files") {
    return read_max_files(value, options.limits.max_files);
  } else if (name == "--max-file-size") {
    return read_max_file_size(value, options.limits.max_file_bytes);
  } else {
    TRY_ASSIGN(options.log_level, parse_log_level(value));
  }
  return {};
}

bool* switch_of(Options& options, std::string_view name) {
  const std::array<std::pair<std::string_view, bool*>, 7> switches{{{"--once", &options.once},
                                                                    {"--kube", &options.kube},
                                                                    {"--json", &options.json},
                                                                    {"--help", &options.help},
                                                                    {"-h", &options.help},
                                                                    {"--version", &options.version},
                                                                    {"-V", &options.version}}};
  for (const auto& [known, flag] : switches) {
    if (known == name) {
      return flag;
    }
  }
  return nullptr;
}

constexpr std::array<std::string_view, 27> kNames{"--manifests",
                                                  "--state",
                                                  "--listen",
                                                  "--source-root",
                                                  "--secret-root",
                                                  "--backup-root",
                                                  "--workers",
                                                  "--per-server",
                                                  "--resync",
                                                  "--max-files",
                                                  "--log-level",
                                                  "--max-file-size",
                                                  "--kubeconfig",
                                                  "--context",
                                                  "--selector",
                                                  "--lease-name",
                                                  "--cache",
                                                  "--job-image",
                                                  "--watch-namespaces",
                                                  "--leader-elect",
                                                  "--lease-namespace",
                                                  "--resyncs-per-second",
                                                  "--kube",
                                                  "--once",
                                                  "--json",
                                                  "--version",
                                                  "--help"};
constexpr std::size_t kWithValue = 22;

// What belongs to the other way of running is refused, not passed over.
Result<void> check_way(const Options& options) {
  if (options.kube && !options.manifests.empty()) {
    return fail(usage("--kube and --manifests exclude each other"));
  }
  if (options.kube && (options.once || !options.state.empty())) {
    return fail(usage("--once and --state go with --manifests"));
  }
  const bool of_cluster = !options.kubeconfig.empty() || !options.context.empty() || !options.namespaces.empty() ||
                          !options.selector.empty() || !options.lease_namespace.empty() || !options.job_image.empty();
  if (!options.manifests.empty() && of_cluster) {
    return fail(
        usage("--kubeconfig, --context, --watch-namespaces, --selector, --lease-namespace and --job-image go with --kube"));
  }
  return {};
}

}  // namespace

Result<Options> parse_options(const std::vector<std::string>& arguments, bool in_pod) {
  Options options;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    std::string name = arguments[index];
    if (bool* flag = switch_of(options, name)) {
      *flag = true;
      continue;
    }
    const std::size_t equals = name.find('=');
    const bool inline_value = name.starts_with("--") && equals != std::string::npos;
    std::string value = inline_value ? name.substr(equals + 1) : std::string();
    if (inline_value) {
      name.resize(equals);
    }
    const auto known = std::find(kNames.begin(), kNames.begin() + kWithValue, name);
    if (known == kNames.begin() + kWithValue) {
      const auto near = closest_name(name, kNames);
      return fail(usage("unknown option '" + name + "'" + (near.empty() ? "" : "; did you mean " + std::string(near) + "?")));
    }
    if (!inline_value) {
      if (index + 1 == arguments.size()) {
        return fail(usage(name + " needs a value"));
      }
      value = arguments[++index];
    }
    TRY(take_value(options, name, value));
  }
  // Either one says that there is a cluster.
  const bool named = in_pod || !options.kubeconfig.empty() || !options.context.empty();
  options.kube = options.kube || (options.manifests.empty() && named);
  if (options.help || options.version) {
    return options;
  }
  if (!options.kube && options.manifests.empty()) {
    return fail(usage("--manifests DIR or --kube is required"));
  }
  TRY(check_way(options));
  return options;
}

std::string help_text() {
  return R"(athanor-operator: keeps PostgreSQL databases at the revisions that DatabaseMigration resources declare.

Usage:
  athanor-operator --kube [options]            resources of a Kubernetes cluster; the default in a pod
  athanor-operator --manifests DIR [options]   manifests in a folder, no cluster

Brings every database to its declared revision, and again whenever a resource, its revisions or its credentials change.
Logs are JSON lines on standard error.

On a cluster:
  --kube                    watch the API server; in a pod its own, elsewhere the one of the kubeconfig
  --kubeconfig FILE         default: $KUBECONFIG, then ~/.kube/config
  --context NAME            of the kubeconfig; default: its current one
  --watch-namespaces A,B    default: all namespaces
  --selector LABELS         only resources with these labels
  --leader-elect BOOL       one of several replicas works, the others stand by; default true
  --lease-name NAME         default athanor-operator
  --lease-namespace NAME    default: the pod's own
  --cache DIR               where Git repositories, artifacts and certificates are kept; default: a temporary folder
  --job-image IMAGE         image of Jobs (execution.mode: Job); without it there are none

Without a cluster:
  --manifests DIR           folder of manifests (*.yaml, *.yml)
  --state DIR               folder of status files; default DIR/.athanor of the manifests
  --once                    reconcile everything once, print a summary, and exit
  --json                    with --once: the summary as JSON

Either way:
  --source-root DIR         folder that spec.source.path may name; may be repeated
  --secret-root DIR         folder that secret files may lie in; may be repeated
  --backup-root DIR         folder that spec.backup.path may name; may be repeated
  --listen ADDR:PORT        serve /metrics, /healthz and /readyz; default 127.0.0.1:8080, off with --once; "off": do not listen
  --workers N               databases in work at once; default 8
  --per-server N            of them on one database server; default 8
  --resync DURATION         look at every database once in this time, though nothing changed; default 5m
  --resyncs-per-second N      but at no more than so many in a second; default 2
  --max-files N             revision files in one source; default 100000
  --max-file-size SIZE      of one revision file; default 64MiB
  --log-level LEVEL         debug, info, warn or error; default info (warn with --once)
  -h, --help                this text
  -V, --version             the version

Exit codes:
  0    ended by SIGTERM or SIGINT; with --once: every resource is Ready
  1    with --once: some resource is not Ready, or a manifest cannot be read; on a cluster: leadership was lost
  2    wrong usage
  3    a folder cannot be read or written, or the address cannot be listened on
  12   the API server cannot be used

Examples:
  athanor-operator --kube --watch-namespaces shop,billing
  athanor-operator --manifests deploy/databases --source-root migrations
  athanor-operator --manifests deploy/databases --once --json
)";
}

}  // namespace athanor::controller
