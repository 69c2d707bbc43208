// Runs the git program so that a repository can only be read.
//
// There is no shell and a fixed environment: no configuration of the system, the user or a repository template, no hooks, no
// credential helpers, no submodules, no filters, no background maintenance. Only allowed protocols work (never file:// or
// ext::), received objects are checked, and git never prompts on a terminal. Each run has a deadline; at the deadline and at a
// stop the whole process group is killed.
//
// Git reads the password from an in-memory configuration file that it inherits, and keys and certificates from files of mode
// 0600 that live as long as the GitAccess. Credentials are never in arguments, the environment or a URL. Redirects are not
// followed, because the Authorization header would be sent along.
//
// Threads: safe from any thread; a run blocks its caller. Errors: git's message in one line, sanitised and cut, with a retry
// class; the caller adds the repository's name.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/process.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor::controller {

// The values of the Secret that git.secretRef names; empty ones are absent.
struct GitCredentials {
  std::string username;     // https
  std::string password;     // https
  std::string authorities;  // https: PEM, instead of the system's
  std::string identity;     // ssh: private key
  std::string known_hosts;  // ssh
  bool operator==(const GitCredentials&) const = default;
};

using Variables = std::vector<std::pair<std::string, std::string>>;

// Credentials prepared for runs of git. Owns their files, which it deletes.
class GitAccess {
 public:
  // Writes the credentials into a new folder below `folder`. Errors: Configuration (transient) when they are incomplete or
  // unusable, Io.
  [[nodiscard]] static Result<GitAccess> prepare(const GitCredentials& credentials, const std::string& url,
                                                 const std::string& folder);
  ~GitAccess();
  // Refuses a host with a link-local address (Io). Over HTTP, git may then connect only to the addresses found here, even if
  // the name resolves differently a moment later. `by_proxy`: a proxy resolves the host, so it need not be resolvable here.
  [[nodiscard]] Result<void> pin(const std::string& url, bool by_proxy);
  GitAccess(GitAccess&& other) noexcept;
  GitAccess& operator=(GitAccess&&) = delete;
  GitAccess(const GitAccess&) = delete;
  GitAccess& operator=(const GitAccess&) = delete;

  [[nodiscard]] const Variables& settings() const { return settings_; }  // for git's configuration
  // A configuration file in memory with the password, for the child to inherit; empty without a password.
  [[nodiscard]] const UniqueFd& secrets() const { return secrets_; }
  // The path of secrets() in the child; /dev/null when it is empty.
  [[nodiscard]] std::string configuration() const;
  [[nodiscard]] const std::string& ssh_command() const { return ssh_command_; }  // empty: none

 private:
  GitAccess() = default;
  [[nodiscard]] Result<std::string> write_file(const std::string& folder, const std::string& name, const std::string& text);
  [[nodiscard]] Result<void> prepare_ssh(const GitCredentials& credentials, const std::string& folder);
  [[nodiscard]] Result<void> prepare_http(const GitCredentials& credentials, const std::string& folder);

  std::string folder_;
  UniqueFd secrets_;
  Variables settings_;
  std::string ssh_command_;
};

// Where and how git runs.
struct GitEnvironment {
  std::string authorities;  // file of certificate authorities for https; empty: git's default
  std::string program;      // path of git; empty: not installed
  std::string folder;       // private to the operator; also git's HOME
  std::string protocols = "https:ssh";
  std::vector<std::string> environment;  // passed on unchanged: PATH, proxies
  milliseconds timeout{60'000};          // of one run
};

struct GitRun {
  std::string repository;  // empty: none
  std::vector<std::string> arguments;
  const GitAccess* access = nullptr;
  ReadBytes in{};
  TakeBytes out{};
  std::function<Result<void>()> watch{};  // called about four times a second; an error ends the run
};

// Runs git. Borrows the clock.
class GitCommand {
 public:
  GitCommand(GitEnvironment surroundings, Clock& clock, StopToken stop)
      : surroundings_(std::move(surroundings)), clock_(clock), stop_(stop) {}
  // Runs git and blocks until it ends. Errors: Io for an exit code other than 0 and after the deadline; Interrupted at a stop.
  [[nodiscard]] Result<void> run(const GitRun& run) const;
  // As run(), and returns standard output. Error: FileTooLarge above 1 MiB.
  [[nodiscard]] Result<std::string> output(GitRun run) const;
  [[nodiscard]] const GitEnvironment& surroundings() const { return surroundings_; }

 private:
  [[nodiscard]] std::vector<std::string> environment(const GitRun& run) const;

  GitEnvironment surroundings_;
  Clock& clock_;
  StopToken stop_;
};

}  // namespace athanor::controller
