// Checks whether a token's user may read the metrics: a TokenReview, then a SubjectAccessReview for `get` on /metrics.
//
// Threads: safe from any thread; blocks for at most two requests. Ownership: borrows the client.
#pragma once

#include "operator/kube/api_client.hpp"
#include "operator/serve/metrics_access.hpp"

namespace athanor::controller {

// Needs the right to create tokenreviews and subjectaccessreviews. Errors: those of KubeWriter::create().
[[nodiscard]] Result<Access> review_metrics_token(KubeWriter& client, const std::string& token);

}  // namespace athanor::controller
