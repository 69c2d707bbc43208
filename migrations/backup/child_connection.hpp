// Passes a connection to pg_dump and pg_restore without putting a secret into their arguments, environment or a file on disk.
//
// The parameters of the URL go into a service file and the password into a password file. Both are anonymous memory files
// (memfd_create), readable only by their owner, which the child opens as /dev/fd/N. Nothing remains after a crash, and a
// container with a read-only root file system needs no folder for them. docs/adr/0007 discusses alternatives.
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

// libpq keywords and values from the URL; provided by the composition root.
using ConnectionKeywords = std::vector<std::pair<std::string, std::string>>;

class ChildConnection {
 public:
  // A non-empty `database` replaces the database of the keywords. `environment` is what the child may inherit. Errors:
  // Configuration for a value that these files cannot express; BackupRefused for a URL that uses a service file.
  [[nodiscard]] static Result<ChildConnection> create(const ConnectionKeywords& keywords, const std::string& database,
                                                      const std::string& application,
                                                      const std::vector<std::string>& environment);

  // A command with this connection's environment and descriptors.
  [[nodiscard]] ProcessCommand command(std::vector<std::string> arguments) const;
  // Texts that must not appear in any message.
  [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }

 private:
  ChildConnection() = default;

  std::vector<UniqueFd> files_;
  std::vector<std::string> environment_;
  std::vector<std::string> secrets_;
};

// The environment for a child that does not connect: without credentials, and with messages in English.
[[nodiscard]] std::vector<std::string> plain_environment(const std::vector<std::string>& environment);

// A client program with that environment. If it cannot be started, the error is BackupFailed.
[[nodiscard]] ProcessCommand client_command(std::vector<std::string> arguments, std::vector<std::string> environment);

}  // namespace athanor
