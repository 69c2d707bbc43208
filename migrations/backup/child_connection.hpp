// How pg_dump and pg_restore learn where to connect, without a secret in their arguments, their environment or a file.
//
// Everything the URL says goes into a service file, the password into a password file; both live in anonymous memory
// (memfd_create), are readable by the owner only, and are handed to the child as /dev/fd/N. Nothing has to be cleaned up after
// a crash, and a container with a read-only root needs no folder for it. docs/adr/0007 has the alternatives.
//
// Threads: one owner. Ownership: owns the descriptors, which must stay open while the child runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/process.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor {

// libpq keyword and value, as the URL has them; made by the composition root.
using ConnectionKeywords = std::vector<std::pair<std::string, std::string>>;

class ChildConnection {
 public:
  // `database` replaces the one of the keywords unless empty. `environment` is what the child may inherit.
  [[nodiscard]] static Result<ChildConnection> create(const ConnectionKeywords& keywords, const std::string& database,
                                                      const std::string& application,
                                                      const std::vector<std::string>& environment);

  // A command with this connection's environment and descriptors.
  [[nodiscard]] ProcessCommand command(std::vector<std::string> arguments) const;
  // What must not appear in any message.
  [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }

 private:
  ChildConnection() = default;

  std::vector<UniqueFd> files_;
  std::vector<std::string> environment_;
  std::vector<std::string> secrets_;
};

// The environment for a child that connects nowhere: without variables that carry credentials, messages in English.
[[nodiscard]] std::vector<std::string> plain_environment(const std::vector<std::string>& environment);

// A client program with that environment, whose failure to start is BackupFailed.
[[nodiscard]] ProcessCommand client_command(std::vector<std::string> arguments, std::vector<std::string> environment);

}  // namespace athanor
