// The observer: a second connection, over libpqxx, that looks at the first one.
//
// It is a courtesy beside a run and must never hold it up, and libpqxx knows no deadlines. So each of its calls runs on a
// thread of its own, and whoever asks waits for kObserverPatience at most. After that the observer is left: its socket is shut
// down, so that the thread ends too, and the thread takes the connection with it. An observer that was left answers nothing any
// more; a new one is opened by whoever needs it.
//
// Threads: one thread asks. Ownership: connection and settings are shared with the thread of the current call.
#pragma once

#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/session/session.hpp"

namespace athanor::postgres {

inline constexpr milliseconds kObserverPatience{1'500};

// `conninfo` is a libpq keyword string; it stays inside.
[[nodiscard]] Result<std::unique_ptr<ReadSession>> open_observer_session(const std::string& conninfo, const std::string& place);

}  // namespace athanor::postgres
