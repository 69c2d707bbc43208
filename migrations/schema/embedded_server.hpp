// A throwaway PostgreSQL for scratch databases: initdb and postgres of this machine, on a Unix socket in a private folder,
// without fsync. It is nobody's data, so nothing of it is ever repaired: what does not answer is thrown away and made anew.
//
// It stays warm between commands. The user's cache folder holds, for each major version, a lock file that every command in
// progress has locked (shared), and a note of where the data folder is. A keeper process looks at the lock file: when nobody
// has held it for `keep_warm`, it stops the server and removes its folder. Without a cache folder, or with keep_warm 0, the
// server ends with the command.
//
// PostgreSQL refuses to run as root. Root runs it as the account "postgres", or else "nobody", through setpriv.
//
// Threads: one thread. Ownership: owns the lock, and the server when nothing keeps it warm.
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
  int major = 0;               // 0: the newest there is
  std::string cache_folder{};  // empty: not kept warm
  std::string temporary_folder = "/tmp";
  std::chrono::seconds keep_warm{300};
};

class EmbeddedServer {
 public:
  // A running server that answers. Errors: ScratchUnavailable with the server's own words; Interrupted.
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedServer>> start(const EmbeddedSettings& settings, Clock& clock,
                                                                     const StopToken& stop);
  ~EmbeddedServer();
  EmbeddedServer(const EmbeddedServer&) = delete;
  EmbeddedServer& operator=(const EmbeddedServer&) = delete;

  // The folder of its socket, and of its data.
  [[nodiscard]] const std::string& folder() const { return data_; }
  // "postgresql://postgres@…/postgres": its superuser, who needs no password.
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
  // As the server's account.
  [[nodiscard]] std::vector<std::string> as_server(std::vector<std::string> arguments) const;
  [[nodiscard]] Result<void> run(std::vector<std::string> arguments, const std::string& what) const;
  void remove_server() noexcept;

  EmbeddedSettings settings_;
  Clock& clock_;
  StopToken stop_;
  unsigned user_ = 0;  // of the server
  unsigned group_ = 0;
  bool drops_root_ = false;
  std::string note_;  // file that names the warm server's folder
  UniqueFd lock_;
  std::string data_;
  std::string programs_;  // set when this object started the server
  bool owned_ = false;    // ends with this object
};

}  // namespace athanor::schema
