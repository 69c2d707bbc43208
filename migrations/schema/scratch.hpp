// Scratch databases: empty databases that live as long as one command needs them. A desired schema is loaded into one,
// revisions are run on one, a generated revision is proven on one.
//
// The server is, in this order: scratch_url; the server of the target, if the configuration allows it; a throwaway server of
// this machine's programs (embedded_server.hpp). It has the target's major version, because the text of a definition differs
// between versions. Nothing is started or connected before the first database is asked for.
//
// A database is called athanor_scratch_<seconds since 1970>_<random>. It is dropped when its object ends, after errors and
// stops too. What a killed command left is older than an hour, belongs to our role and has no session: it is dropped when a
// server is opened.
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

// Starts connecting to a URL; the composition root knows how.
using ConnectFunction =
    std::function<Result<std::unique_ptr<SessionFactory>>(const std::string& url, const ExecutionSettings& settings)>;

struct ScratchSettings {
  std::string url{};            // scratch_url
  std::string target_url{};     // set only when scratch databases may be made beside the target
  EmbeddedSettings embedded{};  // major: the target's
};

class ScratchServer;

class ScratchDatabase {
 public:
  ~ScratchDatabase();
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] ScratchServer& server() const { return server_; }
  // A session whose settings are the defaults, with this search_path when it is not empty.
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

  // An empty database, or a copy of `original`, to which nobody may be connected. ScratchUnavailable with the way out.
  [[nodiscard]] Result<std::unique_ptr<ScratchDatabase>> create(const ScratchDatabase* original = nullptr);
  // 150018. Opens the server.
  [[nodiscard]] Result<int> server_version();
  // The major version it has or will have; 0 when it is not known before the server is opened.
  [[nodiscard]] int expected_major() const { return settings_.embedded.major; }
  // Roles that statements name and nobody has made: they are made without any right, on an embedded server alone.
  // Elsewhere a missing one is ScratchUnavailable.
  [[nodiscard]] Result<void> provide_roles(const std::set<std::string>& roles);
  // Roles that statements are about to create: stubs and leftovers of that name go, on an embedded server alone.
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
