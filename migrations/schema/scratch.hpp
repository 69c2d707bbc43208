// Scratch databases: temporary databases of one command. A desired schema is loaded into one, revisions run on one, a generated
// revision is proven on one.
//
// The server is the first of: scratch_url; the target's server, if the configuration allows it; a throwaway server from this
// machine's programs (embedded_server.hpp). It must have the target's major version, because the printed text of a definition
// differs between versions. Nothing is started or connected before the first database is requested.
//
// A database is called athanor_scratch_<seconds since 1970>_<random>. It is dropped by the destructor, also after errors and
// stop requests. A killed command leaves its databases behind: opening a server drops those that are older than an hour, belong
// to our role and have no session.
//
// Threads: one thread. Ownership: a ScratchDatabase borrows its server, which must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/schema/embedded_server.hpp"
#include "migrations/session/session.hpp"
#include "migrations/session/session_settings.hpp"

namespace athanor::schema {

// Starts connecting to a URL; supplied by the composition root.
using ConnectFunction =
    std::function<Result<std::unique_ptr<SessionFactory>>(const std::string& url, const ExecutionSettings& settings)>;

struct ScratchSettings {
  std::string url{};            // scratch_url
  std::string target_url{};     // set only if scratch databases may be created on the target's server
  EmbeddedSettings embedded{};  // major: the target's
};

class ScratchServer;

class ScratchDatabase {
 public:
  // Drops the database, even while sessions are connected to it.
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] ScratchServer& server() const { return server_; }
  // Opens a session with default settings, and with this search_path unless it is empty.
  [[nodiscard]] Result<std::unique_ptr<Session>> open(const std::string& search_path = {}) const;

 private:
  friend class ScratchServer;
  ScratchDatabase(ScratchServer& server, std::string name, std::string url)
      : server_(server), name_(std::move(name)), url_(std::move(url)) {}

  ScratchServer& server_;
  std::string name_;
  std::string url_;
};

class ScratchServer {
 public:
  ScratchServer(ScratchSettings settings, ConnectFunction connect, Clock& clock, StopToken stop);
  ~ScratchServer();
  ScratchServer(const ScratchServer&) = delete;
  ScratchServer& operator=(const ScratchServer&) = delete;

  // Creates an empty database, or a copy of `original`, to which no session may be connected: CREATE DATABASE … TEMPLATE
  // requires that. Errors: ScratchUnavailable with a way out, and the server's.
  [[nodiscard]] Result<std::unique_ptr<ScratchDatabase>> create(const ScratchDatabase* original = nullptr);
  // The server's version, such as 150018. Opens the server.
  [[nodiscard]] Result<int> server_version();
  // The required major version; 0 if any will do.
  [[nodiscard]] int expected_major() const { return settings_.embedded.major; }
  // Creates those of these roles that do not exist, without any privileges, on an embedded server only. On another server a
  // missing role is ScratchUnavailable.
  [[nodiscard]] Result<void> provide_roles(const std::set<std::string>& roles);
  // Drops roles that statements are about to create, such as leftovers of earlier commands, on an embedded server only.
  [[nodiscard]] Result<void> forget_roles(const std::set<std::string>& roles);
  [[nodiscard]] const ConnectFunction& connect() const { return connect_; }

 private:
  friend class ScratchDatabase;
  [[nodiscard]] Result<Session*> administration();
  [[nodiscard]] Result<void> check_version(int version) const;
  void drop_leftovers(Session& session) const;
  void drop(const std::string& name) noexcept;

  ScratchSettings settings_;
  ConnectFunction connect_;
  Clock& clock_;
  StopToken stop_;
  std::unique_ptr<EmbeddedServer> embedded_;
  std::string url_;
  std::unique_ptr<Session> session_;
};

}  // namespace athanor::schema
