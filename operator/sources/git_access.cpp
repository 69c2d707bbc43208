#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "operator/kube/base64.hpp"
#include "operator/kube/host_addresses.hpp"
#include "operator/sources/git_command.hpp"
#include "operator/sources/unpacked_folder.hpp"

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

// Quotes for a shell, because git starts ssh through one.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return result + "'";
}

}  // namespace

Result<GitAccess> GitAccess::prepare(const GitCredentials& credentials, const std::string& url, const std::string& folder) {
  GitAccess access;
  if (url.starts_with("ssh://")) {
    TRY(access.prepare_ssh(credentials, folder));
  } else {
    TRY(access.prepare_http(credentials, folder));
  }
  return access;
}

GitAccess::~GitAccess() {
  if (!folder_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
}

GitAccess::GitAccess(GitAccess&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      secrets_(std::move(other.secrets_)),
      settings_(std::move(other.settings_)),
      ssh_command_(std::move(other.ssh_command_)) {}

std::string GitAccess::configuration() const {
  return secrets_ ? "/dev/fd/" + std::to_string(secrets_.get()) : "/dev/null";
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

Result<std::string> GitAccess::write_file(const std::string& folder, const std::string& name, const std::string& text) {
  if (folder_.empty()) {
    std::string pattern = folder + "/access.XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail(Error(ErrorCode::Io, "cannot create a folder for credentials: " + std::generic_category().message(errno))
                      .advise("give the operator a writable folder: --cache"));
    }
    folder_ = pattern;
  }
  const std::string path = folder_ + "/" + name;
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) {
    return fail(Error(ErrorCode::Io, "cannot write a credential: " + std::generic_category().message(errno)));
  }
  TRY(UnpackedFolder::append(file, text.ends_with('\n') ? text : text + "\n"));
  return path;
}

Result<void> GitAccess::prepare_ssh(const GitCredentials& credentials, const std::string& folder) {
  if (credentials.identity.empty()) {
    return fail(
        unusable("ssh needs a private key").advise("put it in the key `identity` of the Secret that git.secretRef names"));
  }
  if (credentials.known_hosts.empty()) {
    return fail(unusable("the host's key is unknown, so the host cannot be authenticated")
                    .advise("put the output of `ssh-keyscan HOST`, once verified, in the key `known_hosts` of the Secret"));
  }
  TRY_ASSIGN(const auto identity, write_file(folder, "identity", credentials.identity));
  TRY_ASSIGN(const auto known_hosts, write_file(folder, "known_hosts", credentials.known_hosts));
  // No configuration files, no agent, and only the given key and known hosts. An unknown host fails instead of being trusted at
  // first use.
  ssh_command_ = "ssh -F /dev/null -i " + quoted(identity) + " -o " + quoted("UserKnownHostsFile=\"" + known_hosts + "\"");
  for (const char* option : {"GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes", "UpdateHostKeys=no",
                             "IdentitiesOnly=yes", "BatchMode=yes", "ConnectTimeout=20", "ServerAliveInterval=10",
                             "ForwardAgent=no", "ControlMaster=no", "ControlPath=none", "LogLevel=ERROR"}) {
    ssh_command_ += std::string(" -o ") + option;
  }
  return {};
}

Result<void> GitAccess::prepare_http(const GitCredentials& credentials, const std::string& folder) {
  if (!credentials.authorities.empty()) {
    TRY_ASSIGN(auto file, write_file(folder, "authorities", credentials.authorities));
    settings_.emplace_back("http.sslCAInfo", std::move(file));
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
  secrets_ = UniqueFd(::memfd_create("athanor-git", MFD_CLOEXEC));
  if (!secrets_ || ::write(secrets_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(Error(ErrorCode::Io, "cannot pass the password to git: " + std::generic_category().message(errno)));
  }
  return {};
}

}  // namespace athanor::controller
