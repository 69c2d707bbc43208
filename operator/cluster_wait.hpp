// The composition of `athanor-operator --wait-for`: a client of the API server, and nothing else.
//
// Threads: the caller's.
#pragma once

#include "operator/options.hpp"

namespace athanor::controller {

// Says on standard error what it waits for. 0 once the resource is Ready; errors as wait_for_resource().
[[nodiscard]] Result<int> wait_on_cluster(const Options& options, const StopToken& stop);

}  // namespace athanor::controller
