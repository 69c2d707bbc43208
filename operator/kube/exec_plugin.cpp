#include "operator/kube/exec_plugin.hpp"

#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "migrations/base/process.hpp"
#include "migrations/base/timestamp.hpp"
#include "migrations/text/foreign_message.hpp"
#include "operator/kube/access_file.hpp"
#include "operator/kube/base64.hpp"

namespace athanor::controller {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxOutput = std::size_t{1} << 20U;
constexpr std::uint64_t kMostFile = std::uint64_t{64} << 20U;  // plugins keep a cache
constexpr std::uint64_t kMostProcessorSeconds = 60;

Error refused(const ExecPlugin& plugin, const std::string& words) {
  return Error(ErrorCode::ApiUnauthorized, "the credential plugin `" + plugin.command + "` " + words);
}

// Returns the value of KUBERNETES_EXEC_INFO. `interactive` is false: the operator has no terminal.
Result<std::string> exec_info(const ClusterAccess& access) {
  json spec = {{"interactive", false}};
  if (access.exec->provide_cluster_info) {
    json cluster = {{"server", access.server}};
    if (!access.tls_server_name.empty()) {
      cluster["tls-server-name"] = access.tls_server_name;
    }
    if (access.skip_tls_verify) {
      cluster["insecure-skip-tls-verify"] = true;
    }
    std::string authority = access.ca_pem;
    if (!access.ca_file.empty()) {
      TRY_ASSIGN(authority, read_access_file(access.ca_file, "the cluster's certificate authority"));
    }
    if (!authority.empty()) {
      cluster["certificate-authority-data"] = base64_encode(authority);
    }
    spec["cluster"] = std::move(cluster);
  }
  return json{{"apiVersion", access.exec->api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}}.dump();
}

// Returns the program's path. A command without a slash is searched for in PATH.
Result<std::string> program_of(const ExecPlugin& plugin, const EnvironmentLookup& environment) {
  if (plugin.command.find('/') != std::string::npos) {
    return plugin.command;
  }
  const std::string path = environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    // An empty entry in PATH means the current folder; skipping it avoids running a program found there by accident.
    if (std::string candidate = path.substr(start, end - start) + "/" + plugin.command;
        end > start && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    start = end + 1;
  }
  return fail(refused(plugin, "is not installed").advise(fit_for_message(plugin.install_hint)));
}

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<ExecCredential> parse_exec_credential(const std::string& output, const ExecPlugin& plugin) {
  const json answer = json::parse(output, nullptr, false);
  if (answer.is_discarded() || !answer.is_object() || text_at(answer, "kind") != "ExecCredential") {
    return fail(refused(plugin, "did not return an ExecCredential"));
  }
  // As client-go: the answer must have the version that was requested.
  if (text_at(answer, "apiVersion") != plugin.api_version) {
    return fail(refused(plugin, "returned an ExecCredential whose apiVersion is not " + plugin.api_version));
  }
  const auto status = answer.find("status");
  if (status == answer.end() || !status->is_object()) {
    return fail(refused(plugin, "returned an ExecCredential without a status"));
  }
  ExecCredential credential;
  credential.token = text_at(*status, "token");
  credential.client_certificate_pem = text_at(*status, "clientCertificateData");
  credential.client_key_pem = text_at(*status, "clientKeyData");
  if (credential.client_certificate_pem.empty() != credential.client_key_pem.empty()) {
    return fail(refused(plugin, "returned a client certificate without its key, or a key without its certificate"));
  }
  if (credential.token.empty() && credential.client_certificate_pem.empty()) {
    return fail(refused(plugin, "returned neither a token nor a client certificate"));
  }
  if (status->contains("expirationTimestamp") && !status->at("expirationTimestamp").is_null()) {
    credential.expires = parse_rfc3339(text_at(*status, "expirationTimestamp"));
    if (!credential.expires) {
      return fail(refused(plugin, "returned an invalid expirationTimestamp"));
    }
  }
  return credential;
}

Result<ExecCredential> run_exec_plugin(const ClusterAccess& access, const EnvironmentLookup& environment, Clock& clock,
                                       const StopToken& stop, milliseconds timeout) {
  const ExecPlugin& plugin = *access.exec;
  TRY_ASSIGN(std::string program, program_of(plugin, environment));
  TRY_ASSIGN(std::string info, exec_info(access));
  auto additions = plugin.environment;
  additions.emplace_back("KUBERNETES_EXEC_INFO", std::move(info));
  ProcessCommand command;
  command.arguments = {std::move(program)};
  command.arguments.insert(command.arguments.end(), plugin.arguments.begin(), plugin.arguments.end());
  command.environment = inherited_environment(additions);
  command.clock = &clock;
  command.timeout = timeout;
  command.limits = {kMostFile, 0, kMostProcessorSeconds};  // no limit on memory: Go programs reserve a large address space
  command.cannot_start = ErrorCode::ApiUnauthorized;
  std::string output;
  ProcessStreams streams;
  streams.out = keep_first(output, kMaxOutput);
  auto end = run_process(command, streams, stop);
  if (!end) {
    Error error = std::move(end).error();
    if (error.code == ErrorCode::Interrupted) {
      return fail(std::move(error));
    }
    return fail(refused(plugin, "cannot be started: " + error.message).advise(fit_for_message(plugin.install_hint)));
  }
  if (end->timed_out) {
    return fail(refused(plugin, "did not finish within " + std::to_string(timeout.count()) + " ms")
                    .advise(fit_for_message(plugin.install_hint)));
  }
  if (end->exit_code != 0) {
    const std::string complaint = fit_for_message(end->err);
    return fail(refused(plugin, "failed with exit code " + std::to_string(end->exit_code) +
                                    (complaint.empty() ? std::string() : ": " + complaint)));
  }
  return parse_exec_credential(output, plugin);
}

}  // namespace athanor::controller
