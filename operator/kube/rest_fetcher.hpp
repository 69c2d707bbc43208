// Artifacts over cpprestsdk.
//
// Threads, limits and errors: see artifact_fetcher.hpp. Ownership: borrows the clock.
#pragma once

#include <memory>

#include "operator/kube/artifact_fetcher.hpp"

namespace athanor::controller {

// https is verified against the system's authorities.
[[nodiscard]] std::unique_ptr<ArtifactFetcher> make_rest_fetcher(Clock& clock);

}  // namespace athanor::controller
