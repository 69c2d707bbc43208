// The observer: a second connection, over libpqxx, that queries the server about the first.
//
// It must never delay a run, but libpqxx has no deadlines. So each call runs on its own thread, and the caller waits at most
// kObserverPatience. After that the observer is abandoned: its socket is shut down, which ends the thread, and the thread
// destroys the connection. An abandoned observer fails every later call; open a new one.
//
// Threads: one calling thread. Ownership: connection and settings are shared with the thread of the current call.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/postgres/pipeline_session.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

inline constexpr milliseconds kObserverPatience{1'500};

// `connect` makes the connection. It is called once, on another thread, and may outlive the caller.
[[nodiscard]] Result<std::unique_ptr<ReadSession>> open_observer_session(std::function<Result<Connection>()> connect,
                                                                         const std::string& place);

}  // namespace athanor::postgres
