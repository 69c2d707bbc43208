// PostgreSQL sessions: the adapter over libpq (the migration session: pipelines, cancellation,
// SQLSTATEs) and libpqxx (the observer).
//
// A PostgresFactory turns one URL or conninfo string into sessions with pinned settings. Settings travel in the start-up packet
// (`options`), so they cost no round trip and survive RESET ALL; servers that do not know one of them are asked again without.
// Reconnection is off: a lost session is a lost lock, and the caller must know. A pooler is recognised by its process id
// differing from the backend's and refused for work; one that takes no `options` at all gets a session without pinned settings
// (Session::pinned), which is for reading alone.
//
// Connecting has its time limit (connect_timeout), and a stop is heard meanwhile. A connection whose network died is noticed
// within a minute (keepalives, tcp_user_timeout).
//
// Threads: a factory may be shared; each session belongs to one thread. Errors never contain the password, the URI, DETAIL
// or literals.
#pragma once

#include <memory>
#include <string>

#include "migrations/base/stop.hpp"
#include "migrations/session/session.hpp"
#include "migrations/session/session_settings.hpp"

namespace athanor::postgres {

class PostgresFactory final : public SessionFactory {
 public:
  // Checks the URL's form without connecting. postgresql+psycopg2:// and the like (SQLAlchemy) are understood.
  // `stop` is heard while connecting, and by sessions that have no wait listener.
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
