// ArtifactFetcher over cpprestsdk.
//
// Threads: as ArtifactFetcher.
#pragma once

#include <memory>

#include "operator/kube/artifact_fetcher.hpp"

namespace athanor::controller {

// Borrows `clock`. Verifies https servers against the system's authorities.
[[nodiscard]] std::unique_ptr<ArtifactFetcher> make_rest_fetcher(Clock& clock);

}  // namespace athanor::controller
