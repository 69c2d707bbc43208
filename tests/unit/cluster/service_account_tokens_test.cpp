// ServiceAccounts of a cluster: which may be used, and what is asked of the API server.
#include "operator/cluster/service_account_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;

class ServiceAccountTokensTest : public ::testing::Test {
 protected:
  void create(KubeObject labels, KubeObject annotations = KubeObject::object()) {
    kube.put(kube::kServiceAccounts, {{"metadata",
                                       {{"name", "orders"},
                                        {"namespace", "shop"},
                                        {"labels", std::move(labels)},
                                        {"annotations", std::move(annotations)}}}});
  }

  test::FakeKube kube;
  ServiceAccountTokens accounts{kube, kube};
};

TEST_F(ServiceAccountTokensTest, FindsAnAllowedServiceAccountWithItsAnnotations) {
  create({{"athanor.dev/allow", "true"}}, {{"eks.amazonaws.com/role-arn", "arn"}, {"odd", 5}});
  const auto found = accounts.find("shop", "orders");
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_FALSE(found->uid.empty());
  EXPECT_EQ(found->annotations, (std::map<std::string, std::string>{{"eks.amazonaws.com/role-arn", "arn"}}));
}

TEST_F(ServiceAccountTokensTest, RefusesOneThatIsMissingOrNotAllowed) {
  const auto missing = accounts.find("shop", "orders");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::MissingDatabaseUrl);
  EXPECT_EQ(missing.error().retry, RetryClass::Transient);
  EXPECT_THAT(missing.error().message, HasSubstr("ServiceAccount shop/orders does not exist"));
  for (const auto& labels : {KubeObject::object(), KubeObject{{"athanor.dev/allow", "false"}}, KubeObject{{"allow", "true"}}}) {
    create(labels);
    const auto refused = accounts.find("shop", "orders");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::MissingDatabaseUrl);
    EXPECT_EQ(refused.error().retry, RetryClass::Transient);
    EXPECT_THAT(refused.error().message, HasSubstr("ServiceAccount shop/orders does not have the label athanor.dev/allow"));
  }
}

TEST_F(ServiceAccountTokensTest, AsksForAShortTokenWithTheAudience) {
  create({{"athanor.dev/allow", "true"}});
  const auto token = accounts.token("shop", "orders", "sts.amazonaws.com");
  ASSERT_TRUE(token) << token.error().describe();
  EXPECT_EQ(*token, "token 1 of shop/orders for sts.amazonaws.com");
  const auto call = kube.calls().back();
  EXPECT_EQ(call.plural, "serviceaccounts");
  EXPECT_EQ(call.subresource, "token");
  EXPECT_EQ(call.body.at("spec"), KubeObject::parse(R"({"audiences": ["sts.amazonaws.com"], "expirationSeconds": 600})"));
}

TEST_F(ServiceAccountTokensTest, NamesTheServiceAccountInErrorsOfTheApiServer) {
  create({{"athanor.dev/allow", "true"}});
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiForbidden, "may not create serviceaccounts/token")});
  const auto refused = accounts.token("shop", "orders", "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::ApiForbidden);
  EXPECT_EQ(refused.error().context, "ServiceAccount shop/orders");
}

}  // namespace
}  // namespace athanor::controller
