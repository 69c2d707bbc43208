// The observer: a second connection, over libpqxx, that looks at the first one.
//
// Threads: one thread. Reactivation is inhibited: a lost observer is reopened by whoever needs it, never behind one's back.
#pragma once

#include <memory>
#include <string>

#include "migrations/session/session.hpp"

namespace athanor::postgres {

// `conninfo` is a libpq keyword string; it stays inside.
[[nodiscard]] Result<std::unique_ptr<ReadSession>> open_observer_session(const std::string& conninfo, const std::string& place);

}  // namespace athanor::postgres
