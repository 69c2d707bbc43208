#include "operator/cluster/metrics_review.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

namespace athanor::controller {
namespace {

// Answers what it was told to, one after the other.
class ReviewingServer final : public KubeWriter {
 public:
  Result<KubeObject> create(const ResourceType& type, const std::string& /*name_space*/, const KubeObject& object,
                            const CreateOptions& /*options*/) override {
    asked.emplace_back(type.plural, object);
    if (answers.empty()) {
      return fail(ErrorCode::ApiUnreachable, "gone");
    }
    KubeObject answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  Result<KubeObject> replace(const ResourceType&, const std::string&, const std::string&, const KubeObject&,
                             const std::string&) override {
    return fail(ErrorCode::Internal, "not asked for");
  }
  Result<KubeObject> patch(const ResourceType&, const std::string&, const std::string&, const KubeObject&,
                           const std::string&) override {
    return fail(ErrorCode::Internal, "not asked for");
  }
  Result<void> remove(const ResourceType&, const std::string&, const std::string&, const DeleteOptions&) override {
    return fail(ErrorCode::Internal, "not asked for");
  }

  std::deque<KubeObject> answers;
  std::vector<std::pair<std::string, KubeObject>> asked;
};

KubeObject known_user() {
  return KubeObject::parse(R"({"status": {"authenticated": true, "user": {"username": "system:serviceaccount:m:prometheus",
                               "uid": "u1", "groups": ["system:serviceaccounts"], "extra": {"pod": ["a"]}}}})");
}

TEST(MetricsReview, AsksWhoItIsAndWhetherThatUserMayGetTheMetrics) {
  ReviewingServer server;
  server.answers = {known_user(), KubeObject::parse(R"({"status": {"allowed": true}})")};
  const auto access = review_metrics_token(server, "the-token");
  ASSERT_TRUE(access.has_value()) << access.error().describe();
  EXPECT_EQ(*access, Access::Allowed);
  ASSERT_EQ(server.asked.size(), 2U);
  EXPECT_EQ(server.asked[0].first, "tokenreviews");
  EXPECT_EQ(server.asked[0].second["spec"]["token"], "the-token");
  EXPECT_EQ(server.asked[1].first, "subjectaccessreviews");
  EXPECT_EQ(server.asked[1].second["spec"], KubeObject::parse(R"({"user": "system:serviceaccount:m:prometheus", "uid": "u1",
      "groups": ["system:serviceaccounts"], "extra": {"pod": ["a"]},
      "nonResourceAttributes": {"path": "/metrics", "verb": "get"}})"));
}

TEST(MetricsReview, RefusesWhoeverIsNotKnownOrNotAllowed) {
  const auto review = [](std::deque<KubeObject> answers) {
    ReviewingServer server;
    server.answers = std::move(answers);
    return review_metrics_token(server, "t").value_or(Access::Unavailable);
  };
  for (const char* unknown :
       {R"({"status": {"authenticated": false}})", R"({"status": {"error": "expired"}})", R"({})", R"([])",
        R"({"status": {"authenticated": "true", "user": {"username": "a"}}})", R"({"status": {"authenticated": true}})",
        R"({"status": {"authenticated": true, "user": {"username": 1}}})"}) {
    EXPECT_EQ(review({KubeObject::parse(unknown)}), Access::Unauthenticated) << unknown;
  }
  for (const char* refused :
       {R"({"status": {"allowed": false}})", R"({"status": {"allowed": true, "denied": true}})", R"({})"}) {
    EXPECT_EQ(review({known_user(), KubeObject::parse(refused)}), Access::Forbidden) << refused;
  }
  EXPECT_EQ(review({}), Access::Unavailable);
  EXPECT_EQ(review({known_user()}), Access::Unavailable);
}

}  // namespace
}  // namespace athanor::controller
