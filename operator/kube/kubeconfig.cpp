#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "migrations/text/strict_yaml.hpp"
#include "operator/kube/access_file.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/cluster_access.hpp"

namespace athanor::controller {
namespace {

constexpr YamlLimits kLimits{std::size_t{1} << 20U, 32};
constexpr const char* kPluginVersions[] = {"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"};

struct Kubeconfig {
  std::string path;
  YamlNode root;
};

// Reads the supported fields of one mapping. Ignores unknown fields, as kubectl does. Keeps the first error; finish() returns
// it.
class Section {
 public:
  Section() = default;
  Section(const Kubeconfig& file, const YamlNode& node, std::string path) : file_(&file), node_(&node), path_(std::move(path)) {
    if (node.kind == YamlNode::Kind::Null) {
      node_ = nullptr;
    } else if (node.kind != YamlNode::Kind::Mapping) {
      fault({}, "expected a mapping");
      node_ = nullptr;
    }
  }

  [[nodiscard]] const YamlNode* find(std::string_view key) const {
    const YamlNode* found = node_ != nullptr ? node_->find(key) : nullptr;
    return found == nullptr || found->kind == YamlNode::Kind::Null ? nullptr : found;
  }
  std::string text(std::string_view key) {
    const YamlNode* found = find(key);
    if (found == nullptr) {
      return {};
    }
    if (found->kind != YamlNode::Kind::Scalar) {
      fault(key, "expected a string");
      return {};
    }
    return found->text;
  }
  bool flag(std::string_view key) {
    const std::string value = text(key);
    if (!value.empty() && value != "true" && value != "false") {
      fault(key, "expected true or false");
    }
    return value == "true";
  }
  std::vector<std::string> texts(std::string_view key) {
    std::vector<std::string> values;
    for (const YamlNode& item : items(key)) {
      if (item.kind != YamlNode::Kind::Scalar) {
        fault(key, "expected a list of strings");
        return {};
      }
      values.push_back(item.text);
    }
    return values;
  }
  const std::vector<YamlNode>& items(std::string_view key) {
    static const std::vector<YamlNode> none;
    const YamlNode* found = find(key);
    if (found != nullptr && found->kind != YamlNode::Kind::Sequence) {
      fault(key, "expected a list");
      return none;
    }
    return found != nullptr ? found->items : none;
  }
  // Reads a path. A relative path starts at the kubeconfig's folder.
  std::string path_text(std::string_view key) {
    const std::string value = text(key);
    return value.empty() ? value : relative_to_file(value);
  }
  [[nodiscard]] std::string relative_to_file(const std::string& path) const {
    return (std::filesystem::path(file_->path).parent_path() / path).lexically_normal().string();
  }
  std::string decoded(std::string_view key) {
    const auto bytes = base64_decode(text(key));
    if (!bytes) {
      fault(key, "is not base64");
    }
    return bytes.value_or(std::string());
  }
  void refuse(std::string_view key, std::string_view why, std::string hint = {}) {
    if (find(key) != nullptr) {
      fault(key, std::string(why), std::move(hint));
    }
  }
  void fault(std::string_view key, const std::string& words, std::string hint = {}) {
    if (error_) {
      return;
    }
    const YamlNode* found = node_ != nullptr ? node_->find(key) : nullptr;
    const std::size_t line = found != nullptr ? found->line : node_ != nullptr ? node_->line : 1;
    const std::string field = key.empty() ? path_ : path_ + "." + std::string(key);
    error_ = Error(ErrorCode::Configuration, "field `" + field + "`: " + words)
                 .at(file_->path + ":" + std::to_string(line))
                 .advise(std::move(hint));
  }
  [[nodiscard]] Section below(std::string_view key, std::string_view name) const {
    static const YamlNode nothing;
    const YamlNode* found = find(key);
    return {*file_, found != nullptr ? *found : nothing, path_ + "." + std::string(name)};
  }
  [[nodiscard]] Result<void> finish() const {
    if (error_) {
      return fail(*error_);
    }
    return {};
  }

 private:
  const Kubeconfig* file_ = nullptr;
  const YamlNode* node_ = nullptr;
  std::string path_;
  std::optional<Error> error_;
};

Result<std::vector<Kubeconfig>> read_files(const std::vector<std::string>& paths) {
  std::vector<Kubeconfig> files;
  for (const std::string& path : paths) {
    if (path.empty() || (paths.size() > 1 && ::access(path.c_str(), F_OK) != 0 && errno == ENOENT)) {
      continue;  // as kubectl does, skip missing files when KUBECONFIG names several
    }
    TRY_ASSIGN(const auto text, read_access_file(path, "the kubeconfig"));
    TRY_ASSIGN(auto documents, parse_yaml(text, path, kLimits));
    if (documents.size() > 1) {
      return fail(Error(ErrorCode::Configuration, "a kubeconfig must be a single YAML document").at(path));
    }
    if (documents.empty() || documents[0].kind == YamlNode::Kind::Null) {
      continue;
    }
    if (documents[0].kind != YamlNode::Kind::Mapping) {
      return fail(Error(ErrorCode::Configuration, "is not a kubeconfig").at(path + ":1"));
    }
    files.push_back({path, std::move(documents[0])});
  }
  if (files.empty()) {
    return fail(Error(ErrorCode::Configuration, "there is no kubeconfig in " + (paths.empty() ? "the given files" : paths[0]))
                    .advise("name a kubeconfig file, or run inside a pod"));
  }
  return files;
}

// Returns the entry called `name` in `list`, from the first file that has one.
Result<Section> find_entry(const std::vector<Kubeconfig>& files, const std::string& list, const std::string& kind,
                           const std::string& name) {
  for (const Kubeconfig& file : files) {
    Section root(file, file.root, list);
    const YamlNode* entries = root.find(list);
    if (entries != nullptr && entries->kind != YamlNode::Kind::Sequence) {
      return fail(Error(ErrorCode::Configuration, "field `" + list + "`: expected a list")
                      .at(file.path + ":" + std::to_string(entries->line)));
    }
    for (std::size_t i = 0; entries != nullptr && i < entries->items.size(); ++i) {
      Section entry(file, entries->items[i], list + "[" + std::to_string(i) + "]");
      if (entry.text("name") == name && entry.find("name") != nullptr) {
        return entry.below(kind, kind);
      }
      TRY(entry.finish());
    }
  }
  return fail(Error(ErrorCode::Configuration, "there is no " + kind + " `" + name + "` in the kubeconfig").at(files[0].path));
}

Result<void> read_cluster(Section cluster, ClusterAccess& access) {
  cluster.refuse("proxy-url", "proxies are not supported", "Reach the server directly, or through a tunnel.");
  access.server = cluster.text("server");
  if (access.server.empty()) {
    cluster.fault("server", "is required");
  }
  access.tls_server_name = cluster.text("tls-server-name");
  access.skip_tls_verify = cluster.flag("insecure-skip-tls-verify");
  // As in kubectl, the *-data fields win over the files.
  access.ca_pem = cluster.decoded("certificate-authority-data");
  if (access.ca_pem.empty()) {
    access.ca_file = cluster.path_text("certificate-authority");
  }
  if (access.skip_tls_verify && !(access.ca_pem.empty() && access.ca_file.empty())) {
    cluster.fault("insecure-skip-tls-verify", "cannot be combined with a certificate authority", "Remove one of them.");
  }
  return cluster.finish();
}

Result<ExecPlugin> read_plugin(Section exec) {
  ExecPlugin plugin;
  plugin.api_version = exec.text("apiVersion");
  if (std::find(std::begin(kPluginVersions), std::end(kPluginVersions), plugin.api_version) == std::end(kPluginVersions)) {
    exec.fault("apiVersion", "is not client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
  }
  plugin.command = exec.text("command");
  if (plugin.command.empty()) {
    exec.fault("command", "is required");
  } else if (plugin.command.find('/') != std::string::npos) {
    plugin.command = exec.relative_to_file(plugin.command);
  }
  plugin.arguments = exec.texts("args");
  const std::string mode = exec.text("interactiveMode");
  if (mode == "Always") {
    exec.fault("interactiveMode", "Always needs a user at a terminal, which the operator does not have",
               "Use a plugin that works with Never or IfAvailable.");
  } else if (!mode.empty() && mode != "Never" && mode != "IfAvailable") {
    exec.fault("interactiveMode", "is not one of Never, IfAvailable, Always");
  }
  plugin.install_hint = exec.text("installHint");
  plugin.provide_cluster_info = exec.flag("provideClusterInfo");
  for (const YamlNode& item : exec.items("env")) {
    const YamlNode* name = item.find("name");
    const YamlNode* value = item.find("value");
    if (name == nullptr || name->kind != YamlNode::Kind::Scalar || name->text.empty() ||
        name->text.find('=') != std::string::npos || (value != nullptr && value->kind != YamlNode::Kind::Scalar)) {
      exec.fault("env", "expected a list of name and value");
      break;
    }
    plugin.environment.emplace_back(name->text, value != nullptr ? value->text : std::string());
  }
  TRY(exec.finish());
  return plugin;
}

Result<void> read_user(Section user, ClusterAccess& access) {
  user.refuse("auth-provider", "is not supported", "Use an exec plugin; the providers were removed from Kubernetes in 1.26.");
  user.refuse("as-user-extra", "is not supported");
  access.client_certificate_pem = user.decoded("client-certificate-data");
  if (access.client_certificate_pem.empty()) {
    access.client_certificate_file = user.path_text("client-certificate");
  }
  access.client_key_pem = user.decoded("client-key-data");
  if (access.client_key_pem.empty()) {
    access.client_key_file = user.path_text("client-key");
  }
  const bool certificate = !access.client_certificate_pem.empty() || !access.client_certificate_file.empty();
  const bool key = !access.client_key_pem.empty() || !access.client_key_file.empty();
  if (certificate != key) {
    user.fault(certificate ? "client-key" : "client-certificate",
               "is required: a client certificate and its key must be set together");
  }
  // As in kubectl, tokenFile takes precedence over token.
  access.token_file = user.path_text("tokenFile");
  access.token = access.token_file.empty() ? user.text("token") : std::string();
  access.username = user.text("username");
  access.password = user.text("password");
  if (!access.username.empty() && !(access.token.empty() && access.token_file.empty())) {
    user.fault("username", "cannot be combined with a token", "Remove one of them.");
  }
  access.impersonate = user.text("as");
  access.impersonate_uid = user.text("as-uid");
  access.impersonate_groups = user.texts("as-groups");
  if (access.impersonate.empty() && !(access.impersonate_uid.empty() && access.impersonate_groups.empty())) {
    user.fault("as", "is required with as-uid and as-groups");
  }
  if (user.find("exec") != nullptr) {
    TRY_ASSIGN(access.exec, read_plugin(user.below("exec", "exec")));
  }
  return user.finish();
}

}  // namespace

Result<ClusterAccess> read_kubeconfig(const std::vector<std::string>& paths, const std::string& context) {
  TRY_ASSIGN(const auto files, read_files(paths));
  std::string wanted = context;
  for (const Kubeconfig& file : files) {
    if (wanted.empty()) {
      Section root(file, file.root, "kubeconfig");
      // As in kubectl, the first file that sets a current-context decides.
      wanted = root.text("current-context");
      TRY(root.finish());
    }
  }
  if (wanted.empty()) {
    return fail(Error(ErrorCode::Configuration, "the kubeconfig has no current-context")
                    .at(files[0].path)
                    .advise("name a context, or set one: kubectl config use-context NAME"));
  }
  TRY_ASSIGN(auto chosen, find_entry(files, "contexts", "context", wanted));
  const std::string cluster_name = chosen.text("cluster");
  const std::string user_name = chosen.text("user");
  ClusterAccess access;
  if (const std::string name_space = chosen.text("namespace"); !name_space.empty()) {
    access.name_space = name_space;
  }
  if (cluster_name.empty()) {
    chosen.fault("cluster", "is required");
  }
  TRY(chosen.finish());
  TRY_ASSIGN(auto cluster, find_entry(files, "clusters", "cluster", cluster_name));
  TRY(read_cluster(std::move(cluster), access));
  if (!user_name.empty()) {  // a context without a user means anonymous requests
    TRY_ASSIGN(auto user, find_entry(files, "users", "user", user_name));
    TRY(read_user(std::move(user), access));
  }
  return access;
}

}  // namespace athanor::controller
