// Who a token is, and whether it may read the metrics: a TokenReview, then a SubjectAccessReview for `get` on /metrics.
//
// Threads: safe from any thread; blocks for two requests at most. Ownership: borrows the client.
#pragma once

#include "operator/kube/api_client.hpp"
#include "operator/serve/metrics_access.hpp"

namespace athanor::controller {

// Needs the right to create tokenreviews and subjectaccessreviews. Errors: the API server did not answer, or refused to.
[[nodiscard]] Result<Access> review_metrics_token(KubeWriter& client, const std::string& token);

}  // namespace athanor::controller
