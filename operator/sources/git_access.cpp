#include <algorithm>

#include "migrations/base/memory_file.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/host_addresses.hpp"
#include "operator/sources/git_command.hpp"

namespace athanor::controller {
namespace {

Error unusable(const std::string& message) {
  // Transient: Secrets are not watched, so only a retry sees a corrected one.
  return Error(ErrorCode::Configuration, message).with_retry(RetryClass::Transient);
}

bool has_control_characters(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

struct Location {
  std::string host;
  std::string port;
};

// Returns host and port of "https://host:port/path" or "ssh://user@[::1]/path". The host is empty when the URL has none.
Location location_of(const std::string& url) {
  const std::size_t scheme = url.find("://");
  std::string authority = scheme == std::string::npos ? std::string() : url.substr(scheme + 3);
  authority.erase(std::min(authority.find_first_of("/?#"), authority.size()));
  if (const std::size_t user = authority.rfind('@'); user != std::string::npos) {
    authority.erase(0, user + 1);
  }
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : std::string::npos;
  const std::size_t colon = authority.find(':', bracket == std::string::npos ? 0 : bracket);
  Location location{authority.substr(0, colon), colon == std::string::npos ? std::string() : authority.substr(colon + 1)};
  if (bracket != std::string::npos) {
    location.host = location.host.substr(1, bracket - 1);
  }
  if (location.port.empty()) {
    location.port = url.starts_with("http://") ? "80" : "443";
  }
  return location;
}

}  // namespace

Result<GitAccess> GitAccess::prepare(const GitCredentials& credentials, const std::string& url) {
  GitAccess access;
  if (url.starts_with("ssh://")) {
    TRY(access.prepare_ssh(credentials));
  } else {
    TRY(access.prepare_http(credentials));
  }
  return access;
}

std::vector<int> GitAccess::inherited() const {
  std::vector<int> descriptors;
  for (const UniqueFd& file : files_) {
    descriptors.push_back(file.get());
  }
  return descriptors;
}

Result<void> GitAccess::pin(const std::string& url, bool by_proxy) {
  const Location location = location_of(url);
  if (location.host.empty() || url.starts_with("file://")) {
    return {};
  }
  // Resolve once, check, and make git use exactly these addresses. If git resolved the name again, a DNS server could answer
  // with a link-local address the second time.
  const auto addresses = addresses_of(location.host);
  if (!addresses) {
    const bool unknown = addresses.error().retry == RetryClass::Transient;
    return unknown && by_proxy ? Result<void>() : fail(addresses.error());
  }
  // Also with a proxy, which git uses only for hosts that no_proxy does not exempt.
  if (!url.starts_with("ssh://")) {
    std::string pinned;
    for (const auto& address : *addresses) {
      pinned += (pinned.empty() ? "" : ",") + (address.find(':') == std::string::npos ? address : "[" + address + "]");
    }
    settings_.emplace_back("http.curloptResolve", location.host + ":" + location.port + ":" + pinned);
  }
  return {};
}

// Returns the number of the descriptor.
Result<int> GitAccess::keep(const char* name, const std::string& text) {
  auto file = memory_file(name, text.ends_with('\n') ? text : text + "\n");
  if (!file) {
    return fail(Error(ErrorCode::Io, "cannot pass the credentials to git: " + file.error().message));
  }
  files_.push_back(std::move(*file));
  return files_.back().get();
}

Result<void> GitAccess::prepare_ssh(const GitCredentials& credentials) {
  if (credentials.identity.empty()) {
    return fail(
        unusable("ssh needs a private key").advise("put it in the key `identity` of the Secret that git.secretRef names"));
  }
  if (credentials.known_hosts.empty()) {
    return fail(unusable("the host's key is unknown, so the host cannot be authenticated")
                    .advise("put the output of `ssh-keyscan HOST`, once verified, in the key `known_hosts` of the Secret"));
  }
  TRY_ASSIGN(const int identity, keep("athanor-identity", credentials.identity));
  TRY_ASSIGN(const int known_hosts, keep("athanor-known-hosts", credentials.known_hosts));
  // ssh closes every descriptor that it did not open, so it cannot inherit the files. git keeps them open: it starts ssh
  // through a shell, whose parent it is.
  const auto in_git = [](int descriptor) { return "/proc/$PPID/fd/" + std::to_string(descriptor); };
  // No configuration files, no agent, and only the given key and known hosts. An unknown host fails instead of being trusted at
  // first use.
  ssh_command_ = "ssh -F /dev/null -i \"" + in_git(identity) + "\" -o \"UserKnownHostsFile=" + in_git(known_hosts) + "\"";
  for (const char* option : {"GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes", "UpdateHostKeys=no",
                             "IdentitiesOnly=yes", "BatchMode=yes", "ConnectTimeout=20", "ServerAliveInterval=10",
                             "ForwardAgent=no", "ControlMaster=no", "ControlPath=none", "LogLevel=ERROR"}) {
    ssh_command_ += std::string(" -o ") + option;
  }
  return {};
}

Result<void> GitAccess::prepare_http(const GitCredentials& credentials) {
  if (!credentials.authorities.empty()) {
    TRY_ASSIGN(const int file, keep("athanor-authorities", credentials.authorities));
    settings_.emplace_back("http.sslCAInfo", "/dev/fd/" + std::to_string(file));
  }
  if (credentials.username.empty() && credentials.password.empty()) {
    return {};
  }
  if (credentials.password.empty()) {
    return fail(unusable("the Secret has a username and no password").advise("add the key `password`; it may be a token"));
  }
  if (has_control_characters(credentials.username + credentials.password) ||
      credentials.username.find(':') != std::string::npos) {
    return fail(unusable("the username or password contains characters that are not allowed in an HTTP header"));
  }
  const std::string username = credentials.username.empty() ? "git" : credentials.username;
  // Not among the other settings, which are in git's environment: other processes of the same user can read that.
  const std::string text =
      "[http]\n\textraHeader = \"Authorization: Basic " + base64_encode(username + ":" + credentials.password) + "\"\n";
  TRY_ASSIGN(const int file, keep("athanor-git", text));
  configuration_ = "/dev/fd/" + std::to_string(file);
  has_password_ = true;
  return {};
}

}  // namespace athanor::controller
