// HttpTransport over cpprestsdk.
//
// Threads: as HttpTransport.
#pragma once

#include "operator/kube/cluster_access.hpp"
#include "operator/kube/transport.hpp"

namespace athanor::controller {

// Borrows `credentials` and `clock`. Loads the credentials and certificates once, so that unusable ones are reported here;
// `stop` ends a wait for an exec plugin. Errors: Configuration, Io, ApiUnauthorized, Interrupted. Sends no request.
[[nodiscard]] Result<std::unique_ptr<HttpTransport>> make_rest_transport(const ClusterAccess& access,
                                                                         CredentialProvider& credentials, Clock& clock,
                                                                         const StopToken& stop = {});

}  // namespace athanor::controller
