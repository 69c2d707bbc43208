// Cluster mode, composed: resources from an API server, statuses to it, leadership by a Lease.
//
// Threads: one thread calls. Ownership: owns everything the mode is made of, for as long as it runs.
#pragma once

#include "migrations/base/stop.hpp"
#include "operator/options.hpp"

namespace athanor::controller {

// The exit code, or why it could not begin.
[[nodiscard]] Result<int> run_on_cluster(const Options& options, const Log& log, const StopToken& stop);

}  // namespace athanor::controller
