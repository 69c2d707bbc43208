// ArtifactFetcher over cpprestsdk.
#pragma once

#include <memory>

#include "operator/kube/artifact_fetcher.hpp"

namespace athanor::controller {

// Borrows `clock`. https servers are verified against the system's authorities.
[[nodiscard]] std::unique_ptr<ArtifactFetcher> make_rest_fetcher(Clock& clock);

}  // namespace athanor::controller
