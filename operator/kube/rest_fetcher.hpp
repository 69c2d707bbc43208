// ArtifactFetcher over cpprestsdk.
//
// Threads: as ArtifactFetcher.
#pragma once

#include <memory>

#include "operator/kube/artifact_fetcher.hpp"
#include "operator/kube/proxy_settings.hpp"

namespace athanor::controller {

// Borrows `clock`. Verifies https servers against the system's authorities. `proxies`: which servers to reach through a proxy.
// The name of such a server need not resolve here; if it does, link-local addresses are refused as always.
[[nodiscard]] std::unique_ptr<ArtifactFetcher> make_rest_fetcher(Clock& clock, ProxySettings proxies = {});

}  // namespace athanor::controller
