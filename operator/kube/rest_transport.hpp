// The transport over cpprestsdk. With serve/listener.cpp the only place that includes it.
//
// Threads, limits and errors: see transport.hpp. Ownership: borrows clock and credentials.
#pragma once

#include "operator/kube/cluster_access.hpp"
#include "operator/kube/transport.hpp"

namespace athanor::controller {

[[nodiscard]] Result<std::unique_ptr<HttpTransport>> make_rest_transport(const ClusterAccess& access,
                                                                         CredentialProvider& credentials, Clock& clock,
                                                                         const StopToken& stop = {});

}  // namespace athanor::controller
