// PostgreSQL sessions: the adapter over libpq (the migration session: pipelines, cancellation, SQLSTATEs) and libpqxx (the
// observer).
//
// A PostgresFactory turns one URL or conninfo string into sessions with pinned settings. The settings travel in the startup
// packet (`options`), so they cost no round trip and survive RESET ALL; for a server that does not know one of them, connecting
// is repeated without it. There is no automatic reconnection: a lost session is a lost lock, and the caller must know. A pooler
// is recognised because its process id differs from the backend's, and is refused for work. A pooler that rejects `options`
// gets a session without pinned settings (Session::pinned), which is only for reading.
//
// Connecting has a time limit (connect_timeout), and reacts to a stop request. A connection whose network died is noticed
// within a minute (keepalives, tcp_user_timeout).
//
// Threads: a factory may be shared; each session belongs to one thread. Errors never contain the password, the URI, DETAIL or
// literals.
#pragma once

#include <memory>
#include <string>

#include "migrations/base/stop.hpp"
#include "migrations/session/session.hpp"
#include "migrations/session/session_settings.hpp"

namespace athanor::postgres {

class PostgresFactory final : public SessionFactory {
 public:
  // Checks the form of the URL without connecting. Accepts SQLAlchemy's postgresql+psycopg2:// and the like. `stop` ends
  // connecting, and applies to sessions without a wait listener.
  [[nodiscard]] static Result<std::unique_ptr<PostgresFactory>> create(const std::string& url,
                                                                       const ExecutionSettings& settings,
                                                                       const StopToken& stop = StopToken());
  ~PostgresFactory() override;

  [[nodiscard]] Result<std::unique_ptr<Session>> open() override;
  [[nodiscard]] Result<std::unique_ptr<ReadSession>> open_observer() override;
  [[nodiscard]] std::string describe() const override;

 private:
  struct Impl;
  explicit PostgresFactory(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor::postgres
