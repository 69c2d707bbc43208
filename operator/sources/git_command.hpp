// Runs the git program so that a repository can only be read.
//
// There is no shell and a fixed environment: no configuration of the system, the user or a repository template, no hooks, no
// credential helpers, no submodules, no filters, no background maintenance. Only allowed protocols work (never file:// or
// ext::), received objects are checked, and git never prompts on a terminal. Each run has a deadline; at the deadline and at a
// stop the whole process group is killed.
//
// Git and ssh read passwords, keys and certificates from memory files that git inherits: nothing remains of them when git ends,
// or is killed. Credentials are never in arguments, the environment, a URL or a file on disk. Redirects are not followed,
// because the Authorization header would be sent along.
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

// Credentials prepared for runs of git. Owns their memory files.
class GitAccess {
 public:
  // Errors: Configuration (transient) when the credentials are incomplete or unusable, Io.
  [[nodiscard]] static Result<GitAccess> prepare(const GitCredentials& credentials, const std::string& url);
  // Refuses a host with a link-local address (Io). Over HTTP, git may then connect only to the addresses found here, even if
  // the name resolves differently a moment later. `by_proxy`: a proxy resolves the host, so it need not be resolvable here.
  [[nodiscard]] Result<void> pin(const std::string& url, bool by_proxy);

  [[nodiscard]] const Variables& settings() const { return settings_; }  // for git's configuration
  // The path of git's configuration file with the password; /dev/null without one.
  [[nodiscard]] const std::string& configuration() const { return configuration_; }
  [[nodiscard]] bool has_password() const { return has_password_; }
  [[nodiscard]] const std::string& ssh_command() const { return ssh_command_; }  // empty: none
  // Descriptors that git must inherit under the same numbers.
  [[nodiscard]] std::vector<int> inherited() const;

 private:
  GitAccess() = default;
  [[nodiscard]] Result<int> keep(const char* name, const std::string& text);
  [[nodiscard]] Result<void> prepare_ssh(const GitCredentials& credentials);
  [[nodiscard]] Result<void> prepare_http(const GitCredentials& credentials);

  std::vector<UniqueFd> files_;
  bool has_password_ = false;
  Variables settings_;
  std::string configuration_ = "/dev/null";
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
