// Maps a SQLSTATE, from the server or from a ledger row, to an error code and a retry class.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "migrations/base/error.hpp"

namespace athanor {

// StatementFailed unless the state has a more specific code.
[[nodiscard]] ErrorCode code_of_sqlstate(std::string_view state);
// Transient for errors that pass by themselves: deadlock, serialisation failure, insufficient resources, administrator
// shutdown, lock not available, object in use, read-only transaction.
[[nodiscard]] RetryClass retry_of_sqlstate(std::string_view state);

}  // namespace athanor
