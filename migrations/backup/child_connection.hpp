// Passes a connection to pg_dump and pg_restore without putting a secret into their arguments, environment or a file on disk.
//
// The parameters of the URL go into a service file and the password into a password file. Both are anonymous memory files
// (memfd_create), readable only by their owner, which the child opens as /dev/fd/N. Nothing remains after a crash, and a
// container with a read-only root file system needs no folder for them. docs/adr/0007 discusses alternatives.
//
// require_auth holds for the child whichever libpq it has: on an encrypted connection by channel binding, on an unencrypted one
// by an AuthenticationRelay.
//
// Threads: one owner. Ownership: owns the descriptors, which must stay open while the child runs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/backup/authentication_relay.hpp"
#include "migrations/base/process.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor {

// libpq keywords and values from the URL; provided by the composition root.
using ConnectionKeywords = std::vector<std::pair<std::string, std::string>>;

class ChildConnection {
 public:
  // A non-empty `database` replaces the database of the keywords. `environment` is what the child may inherit. May ask the
  // server whether it has TLS. Errors: Configuration for a value that these files cannot express; BackupRefused for a URL that
  // uses a service file, or names no host and restricts authentication; DatabaseUnreachable.
  [[nodiscard]] static Result<ChildConnection> create(const ConnectionKeywords& keywords, const std::string& database,
                                                      const std::string& application,
                                                      const std::vector<std::string>& environment);

  // A command with this connection's environment and descriptors.
  [[nodiscard]] ProcessCommand command(std::vector<std::string> arguments) const;
  // Why the child ended as it did. Errors: AuthenticationFailed when the server requested a method that is not allowed; as
  // program_error().
  [[nodiscard]] Error error_of(std::string_view program, const ProcessCommand& command, const ProcessEnd& end,
                               ErrorCode otherwise) const;
  // Texts that must not appear in any message.
  [[nodiscard]] const std::vector<std::string>& secrets() const { return secrets_; }

 private:
  ChildConnection() = default;
  // Replaces what `keywords` say about the server and its encryption.
  [[nodiscard]] Result<void> guard(ConnectionKeywords& keywords, const std::vector<std::string>& environment);

  std::vector<UniqueFd> files_;
  std::vector<std::string> environment_;
  std::vector<std::string> secrets_;
  std::unique_ptr<AuthenticationRelay> relay_;
};

// The environment for a child that does not connect: without credentials, and with messages in English.
[[nodiscard]] std::vector<std::string> plain_environment(const std::vector<std::string>& environment);

// A client program with that environment, and the limits below. If it cannot be started, the error is BackupFailed.
//
// pg_dump and pg_restore stream, so they write no files. A dump's size is limited where we receive it (BackupJob::has_room),
// and their processor time grows with it; neither has a limit here.
inline constexpr std::uint64_t kClientFileBytes = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t kClientMemory = std::uint64_t{8} << 30U;
inline constexpr milliseconds kClientIdle = std::chrono::hours(2);       // a dump, or the decoding of one, stands still
inline constexpr milliseconds kClientRun = std::chrono::hours(7 * 24);   // reading nothing for hours is normal: indexes
inline constexpr milliseconds kClientAnswer = std::chrono::seconds(30);  // --version
[[nodiscard]] ProcessCommand client_command(std::vector<std::string> arguments, std::vector<std::string> environment);

}  // namespace athanor
