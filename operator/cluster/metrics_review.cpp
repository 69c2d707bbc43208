#include "operator/cluster/metrics_review.hpp"

#include <utility>

namespace athanor::controller {
namespace {

const ResourceType kTokenReviews{"authentication.k8s.io", "v1", "tokenreviews", "TokenReview", false};
const ResourceType kAccessReviews{"authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", false};

// Returns the value at a JSON pointer; null when it does not exist.
KubeObject part_of(const KubeObject& object, const char* path) {
  const nlohmann::json::json_pointer pointer(path);
  return object.contains(pointer) ? object.at(pointer) : KubeObject();
}

bool is_true(const KubeObject& value) {
  return value.is_boolean() && value.get<bool>();
}

KubeObject access_review(const KubeObject& user) {
  KubeObject spec{{"nonResourceAttributes", {{"path", "/metrics"}, {"verb", "get"}}}};
  for (const char* field : {"uid", "groups", "extra"}) {
    if (user.contains(field)) {
      spec[field] = user.at(field);
    }
  }
  spec["user"] = user.value("username", "");
  return {{"apiVersion", kAccessReviews.api_version()}, {"kind", kAccessReviews.kind}, {"spec", std::move(spec)}};
}

}  // namespace

Result<Access> review_metrics_token(KubeWriter& client, const std::string& token) {
  TRY_ASSIGN(
      const KubeObject reviewed,
      client.create(kTokenReviews, {},
                    {{"apiVersion", kTokenReviews.api_version()}, {"kind", kTokenReviews.kind}, {"spec", {{"token", token}}}}));
  const KubeObject user = part_of(reviewed, "/status/user");
  if (!is_true(part_of(reviewed, "/status/authenticated")) || !user.is_object() || !user.contains("username") ||
      !user.at("username").is_string()) {
    return Access::Unauthenticated;
  }
  TRY_ASSIGN(const KubeObject answer, client.create(kAccessReviews, {}, access_review(user)));
  const bool allowed = is_true(part_of(answer, "/status/allowed")) && !is_true(part_of(answer, "/status/denied"));
  return allowed ? Access::Allowed : Access::Forbidden;
}

}  // namespace athanor::controller
