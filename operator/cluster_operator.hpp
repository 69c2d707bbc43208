// Composes cluster mode: reads resources from an API server, writes statuses to it, and elects a leader through a Lease.
//
// Threads: called from one thread. Ownership: owns all parts of the mode while it runs.
#pragma once

#include "migrations/base/stop.hpp"
#include "operator/options.hpp"

namespace athanor::controller {

// Runs until `stop` is requested or leadership is lost. Returns the exit code; an error when it could not start.
[[nodiscard]] Result<int> run_on_cluster(const Options& options, const Log& log, const StopToken& stop);

}  // namespace athanor::controller
