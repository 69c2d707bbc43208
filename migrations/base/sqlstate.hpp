// What a SQLSTATE means for us, wherever it was met: in an answer of the server, or in a row of the ledger.
//
// Threads: pure functions.
#pragma once

#include <string_view>

#include "migrations/base/error.hpp"

namespace athanor {

[[nodiscard]] ErrorCode code_of_sqlstate(std::string_view state);
// Transient for what goes away by itself: deadlock, serialisation, out of resources, an administrator's shutdown, a lock.
[[nodiscard]] RetryClass retry_of_sqlstate(std::string_view state);

}  // namespace athanor
