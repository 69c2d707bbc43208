// The git program, run so that a repository can do nothing but be read.
//
// No shell; an environment of our own: no configuration of system, user or repository template, no hooks, no credential
// helpers, no submodules, no filters, no maintenance in the background, only the protocols that were allowed (never file://
// or ext::), objects checked as they come. Nothing is ever asked on a terminal. Each run has a deadline; at its end, and
// at a stop, the whole process group is ended.
//
// Credentials reach git by its environment (an HTTP header) and by files of mode 0600 that live as long as one GitAccess; never
// by arguments or a URL. With credentials no redirect is followed: the header would go along.
//
// Threads: safe from any thread; a run blocks its caller. Errors: what git said in one line, cleaned and cut, with a retry
// class; the caller adds which repository.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/process.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor::controller {

struct GitCredentials {
  std::string username;     // https
  std::string password;     // https
  std::string authorities;  // https: PEM, beside no others
  std::string identity;     // ssh: private key
  std::string known_hosts;  // ssh
  bool operator==(const GitCredentials&) const = default;
};

using Variables = std::vector<std::pair<std::string, std::string>>;

// Credentials as one run gets them.
class GitAccess {
 public:
  // Files are made in a folder of their own below `folder`.
  [[nodiscard]] static Result<GitAccess> prepare(const GitCredentials& credentials, const std::string& url,
                                                 const std::string& folder);
  ~GitAccess();
  // Refuses a host with a link-local address. Over HTTP git is held to the addresses found here: a name that means another one
  // a moment later leads nowhere else. `by_proxy`: the proxy finds the host, and it need not be known here.
  [[nodiscard]] Result<void> pin(const std::string& url, bool by_proxy);
  GitAccess(GitAccess&& other) noexcept;
  GitAccess& operator=(GitAccess&&) = delete;
  GitAccess(const GitAccess&) = delete;
  GitAccess& operator=(const GitAccess&) = delete;

  [[nodiscard]] const Variables& settings() const { return settings_; }  // of git's configuration
  // A configuration file in memory with what is secret, for the child to inherit; none without a password.
  [[nodiscard]] const UniqueFd& secrets() const { return secrets_; }
  // Its path in the child; /dev/null without one.
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

struct GitEnvironment {
  std::string program;  // its path; empty: there is none
  std::string folder;   // ours alone; also git's home
  std::string protocols = "https:ssh";
  std::vector<std::string> environment;  // passed on as it is: PATH, proxies
  milliseconds timeout{60'000};          // of one run
};

struct GitRun {
  std::string repository;  // empty: none
  std::vector<std::string> arguments;
  const GitAccess* access = nullptr;
  ReadBytes in{};
  TakeBytes out{};
  std::function<Result<void>()> watch{};  // asked about four times a second; an error ends the run
};

class GitCommand {
 public:
  GitCommand(GitEnvironment surroundings, Clock& clock, StopToken stop)
      : surroundings_(std::move(surroundings)), clock_(clock), stop_(stop) {}
  // Any exit code but 0 is an error.
  [[nodiscard]] Result<void> run(const GitRun& run) const;
  // Its standard output, at most 1 MiB of it.
  [[nodiscard]] Result<std::string> output(GitRun run) const;
  [[nodiscard]] const GitEnvironment& surroundings() const { return surroundings_; }

 private:
  [[nodiscard]] std::vector<std::string> environment(const GitRun& run) const;

  GitEnvironment surroundings_;
  Clock& clock_;
  StopToken stop_;
};

}  // namespace athanor::controller
