// Composes `athanor-operator --wait-for`, which needs only a client of the API server.
//
// Threads: blocks the caller's thread.
#pragma once

#include "operator/options.hpp"

namespace athanor::controller {

// Prints to standard error what it waits for. Returns 0 once the resource is Ready. Errors: those of wait_for_resource().
[[nodiscard]] Result<int> wait_on_cluster(const Options& options, const StopToken& stop);

}  // namespace athanor::controller
