// The search_path that a session on the target has, which its role and its database may set.
//
// Scratch databases have no such settings. Without this search_path, revisions would create objects in other schemas there than
// on the target.
//
// Threads: those of the session.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

// As resolved_search_path() writes it, with "$user" replaced. Empty if it is `public`, which scratch databases have anyway.
[[nodiscard]] Result<std::string> target_search_path(ReadSession& target);

}  // namespace athanor::schema
