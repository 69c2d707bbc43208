// A throwaway PostgreSQL server for scratch databases: initdb and postgres of this machine, listening on a Unix socket in a
// private folder, without fsync. Its data has no value, so it is never repaired: a server that does not answer is discarded and
// replaced.
//
// It keeps running between commands. For each major version, the user's cache folder contains a lock file, on which every
// running command holds a shared lock, and a note with the path of the data folder. A keeper process polls the lock file: when
// no command has held the lock for `keep_warm`, it stops the server and removes its folder. Without a cache folder, or with
// keep_warm 0, the server ends with the command.
//
// PostgreSQL refuses to run as root. If the command runs as root, the server runs as the account "postgres", or else "nobody",
// through setpriv.
//
// Threads: one thread. Ownership: owns the lock, and the server unless it is kept warm; borrows the clock.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/base/unique_fd.hpp"
#include "migrations/schema/server_programs.hpp"

namespace athanor::schema {

struct EmbeddedSettings {
  ServerSearch search{};
  int major = 0;               // 0: the newest installed one
  std::string cache_folder{};  // empty: the server ends with the command
  std::string temporary_folder = "/tmp";
  std::chrono::seconds keep_warm{300};
};

class EmbeddedServer {
 public:
  // Returns a running server that accepts connections: a warm one, or a new one. Errors: ScratchUnavailable with the server's
  // message; Interrupted.
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedServer>> start(const EmbeddedSettings& settings, Clock& clock,
                                                                     const StopToken& stop);
  // Stops and removes the server unless it is kept warm.
  ~EmbeddedServer();
  EmbeddedServer(const EmbeddedServer&) = delete;
  EmbeddedServer& operator=(const EmbeddedServer&) = delete;

  // The folder of its data and of its socket.
  [[nodiscard]] const std::string& folder() const { return data_; }
  // "postgresql://postgres@…/postgres": connects as its superuser, without a password.
  [[nodiscard]] std::string url() const;

 private:
  EmbeddedServer(EmbeddedSettings settings, Clock& clock, StopToken stop)
      : settings_(std::move(settings)), clock_(clock), stop_(stop) {}

  [[nodiscard]] Result<void> find_account();
  [[nodiscard]] Result<bool> join_warm_server();
  [[nodiscard]] Result<void> make_server();
  [[nodiscard]] Result<void> make_data_folder();
  [[nodiscard]] Result<void> initialise(const ServerPrograms& programs);
  [[nodiscard]] Result<void> launch(const ServerPrograms& programs);
  [[nodiscard]] Result<void> keep_warm(const ServerPrograms& programs);
  [[nodiscard]] Result<void> lock(int operation);
  [[nodiscard]] bool answers() const;
  [[nodiscard]] bool is_private_folder(const std::string& path) const;
  // The arguments of a program, prefixed so that it runs as the server's account.
  [[nodiscard]] std::vector<std::string> as_server(std::vector<std::string> arguments) const;
  [[nodiscard]] Result<void> run(std::vector<std::string> arguments, const std::string& what) const;
  void remove_server() noexcept;

  EmbeddedSettings settings_;
  Clock& clock_;
  StopToken stop_;
  unsigned user_ = 0;  // the server's account
  unsigned group_ = 0;
  bool drops_root_ = false;
  std::string note_;  // file that contains the path of the warm server's folder
  UniqueFd lock_;
  std::string data_;
  std::string programs_;  // set when this object started the server
  bool owned_ = false;    // stopped and removed by the destructor
};

}  // namespace athanor::schema
