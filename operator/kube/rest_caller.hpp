// HttpsCaller over the transport of the API client.
//
// Threads: as HttpsCaller.
#pragma once

#include <memory>

#include "operator/identity/https_caller.hpp"

namespace athanor::controller {

// Borrows `clock`. Verifies servers against the system's authorities. Every call makes a connection of its own.
[[nodiscard]] std::unique_ptr<HttpsCaller> make_rest_caller(Clock& clock);

}  // namespace athanor::controller
