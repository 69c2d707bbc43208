// Composes standalone mode: reads manifests from a folder and writes statuses into a folder.
//
// Threads: called from one thread. Ownership: owns all parts of the mode while it runs.
#pragma once

#include "migrations/base/stop.hpp"
#include "operator/options.hpp"

namespace athanor::controller {

// Runs until `stop` is requested, or with --once until everything was reconciled once. Returns the exit code; an error when it
// could not start.
[[nodiscard]] Result<int> run_standalone(const Options& options, const Log& log, const StopToken& stop);

}  // namespace athanor::controller
