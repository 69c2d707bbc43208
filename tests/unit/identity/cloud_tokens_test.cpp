// Tokens for databases: what is asked of which provider, what is kept and for how long, and what errors say.
#include "operator/identity/cloud_tokens.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "operator/identity/provider_answer.hpp"
#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class FakeAccounts final : public ServiceAccounts {
 public:
  Result<ServiceAccountFacts> find(const std::string& name_space, const std::string& name) override {
    found.push_back(name_space + "/" + name);
    return missing ? Result<ServiceAccountFacts>(fail(*missing)) : Result<ServiceAccountFacts>(facts);
  }
  Result<std::string> token(const std::string& /*name_space*/, const std::string& /*name*/,
                            const std::string& audience) override {
    audiences.push_back(audience);
    return "KUBERNETES-TOKEN";
  }

  ServiceAccountFacts facts{"uid-1", {}};
  std::optional<Error> missing;
  std::vector<std::string> found;
  std::vector<std::string> audiences;
};

// Answers what it was told to, and records what it was asked.
class FakeProvider final : public HttpsCaller {
 public:
  Result<HttpsAnswer> post(const HttpsCall& call, const StopToken& /*stop*/) override {
    calls.push_back(call);
    if (answers.empty()) {
      return fail(ErrorCode::ApiUnreachable, "the identity provider " + call.server + " did not answer: gone");
    }
    HttpsAnswer answer = answers.front();
    if (answers.size() > 1) {
      answers.pop_front();
    }
    return answer;
  }

  std::deque<HttpsAnswer> answers;  // the last one is repeated
  std::vector<HttpsCall> calls;
};

class CloudTokensTest : public ::testing::Test {
 protected:
  CloudTokensTest() {
    wanted.name_space = "shop";
    wanted.host = "db.example.org";
    wanted.port = "5432";
    wanted.user = "migrator";
    wanted.auth.service_account = "orders";
  }
  void use_aws() {
    wanted.auth.provider = CloudProvider::Aws;
    wanted.auth.region = "eu-central-1";
    wanted.auth.role = "arn:aws:iam::123456789012:role/orders";
    answer_aws("AKIA1", milliseconds(3'600'000));
  }
  void answer_aws(const std::string& key, milliseconds lasts) {
    provider.answers = {
        {200, "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>" + key +
                  "</AccessKeyId><SecretAccessKey>SECRET-KEY</SecretAccessKey><SessionToken>SESSION</SessionToken>"
                  "<Expiration>" +
                  format_iso8601(clock.wall_now() + lasts) +
                  "</Expiration></Credentials>"
                  "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"}};
  }
  void use_google(const std::string& account) {
    wanted.auth.provider = CloudProvider::Gcp;
    wanted.auth.workload_provider = "projects/7/locations/global/workloadIdentityPools/k8s/providers/main";
    wanted.auth.google_account = account;
    provider.answers = {{200, R"({"access_token": "FEDERATED", "expires_in": 3599})"}};
    if (!account.empty()) {
      provider.answers.push_back({200, R"({"accessToken": "GENERATED", "expireTime": ")" +
                                           format_iso8601(clock.wall_now() + std::chrono::hours(1)) + "\"}"});
    }
  }
  void use_azure() {
    wanted.auth.provider = CloudProvider::Azure;
    wanted.auth.tenant = "contoso.example";
    wanted.auth.client = "00000000-1111-2222-3333-444444444444";
    provider.answers = {{200, R"({"token_type": "Bearer", "expires_in": 3599, "access_token": "ENTRA"})"}};
  }
  Result<DatabaseToken> token(bool renew = false) { return tokens.token(wanted, TokenTerms{.renew = renew}); }
  std::string value() {
    const auto made = token();
    return made ? made->value : made.error().describe();
  }

  test::FakeClock clock;
  FakeAccounts accounts;
  FakeProvider provider;
  CloudTokens tokens{accounts, provider, {}, clock};
  TokenWanted wanted;
};

TEST_F(CloudTokensTest, ExchangesTheServiceAccountsTokenAtAws) {
  use_aws();
  const auto made = token();
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_THAT(accounts.found, ElementsAre("shop/orders"));
  EXPECT_THAT(accounts.audiences, ElementsAre("sts.amazonaws.com"));
  ASSERT_EQ(provider.calls.size(), 1U);
  EXPECT_EQ(provider.calls[0].server, "https://sts.eu-central-1.amazonaws.com");
  EXPECT_EQ(provider.calls[0].path, "/");
  EXPECT_EQ(provider.calls[0].body,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Forders"
            "&RoleSessionName=athanor-shop.orders&WebIdentityToken=KUBERNETES-TOKEN");
  EXPECT_EQ(made->value, rds_token({"AKIA1", "SECRET-KEY", "SESSION"}, {"db.example.org", "5432", "migrator", "eu-central-1"},
                                   clock.wall_now()));
  EXPECT_EQ(made->expires_at, clock.wall_now() + std::chrono::minutes(15));
}

TEST_F(CloudTokensTest, ExchangesTheServiceAccountsTokenAtGoogle) {
  use_google("orders@shop.iam.gserviceaccount.com");
  EXPECT_EQ(value(), "GENERATED");
  EXPECT_THAT(accounts.audiences,
              ElementsAre("https://iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/k8s/providers/main"));
  ASSERT_EQ(provider.calls.size(), 2U);
  EXPECT_EQ(provider.calls[0].server + provider.calls[0].path, "https://sts.googleapis.com/v1/token");
  EXPECT_THAT(provider.calls[0].body,
              AllOf(HasSubstr("audience=%2F%2Fiam.googleapis.com%2Fprojects%2F7%2Flocations%2Fglobal%2FworkloadIdentityPools"),
                    HasSubstr("&subject_token=KUBERNETES-TOKEN"), HasSubstr("auth%2Fcloud-platform")));
  EXPECT_EQ(provider.calls[1].server + provider.calls[1].path,
            "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
            "orders%40shop.iam.gserviceaccount.com:generateAccessToken");
  EXPECT_EQ(provider.calls[1].bearer, "FEDERATED");
  EXPECT_EQ(provider.calls[1].body, R"({"scope":["https://www.googleapis.com/auth/sqlservice.login"]})");
}

TEST_F(CloudTokensTest, ConnectsToCloudSqlAsTheServiceAccountItself) {
  use_google("");
  EXPECT_EQ(value(), "FEDERATED");
  ASSERT_EQ(provider.calls.size(), 1U);
  EXPECT_THAT(provider.calls[0].body, HasSubstr("auth%2Fsqlservice.login"));
}

TEST_F(CloudTokensTest, NamesTheSharedPoolOfAGkeCluster) {
  use_google("");
  wanted.auth.workload_provider = "projects/shop-prod/locations/europe-west3/clusters/main";
  EXPECT_EQ(value(), "FEDERATED");
  EXPECT_THAT(accounts.audiences, ElementsAre("shop-prod.svc.id.goog"));
  EXPECT_THAT(provider.calls[0].body,
              HasSubstr("audience=identitynamespace%3Ashop-prod.svc.id.goog%3Ahttps%3A%2F%2Fcontainer.googleapis.com%2Fv1%2F"
                        "projects%2Fshop-prod%2Flocations%2Feurope-west3%2Fclusters%2Fmain&"));
}

TEST_F(CloudTokensTest, ExchangesTheServiceAccountsTokenAtAzure) {
  use_azure();
  EXPECT_EQ(value(), "ENTRA");
  EXPECT_THAT(accounts.audiences, ElementsAre("api://AzureADTokenExchange"));
  EXPECT_EQ(provider.calls[0].server + provider.calls[0].path,
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
  EXPECT_THAT(provider.calls[0].body,
              AllOf(StartsWith("grant_type=client_credentials&client_id=00000000-1111-2222-3333-444444444444"),
                    HasSubstr("scope=https%3A%2F%2Fossrdbms-aad.database.windows.net%2F.default"),
                    HasSubstr("client_assertion=KUBERNETES-TOKEN")));
}

TEST_F(CloudTokensTest, TakesTheAnnotationsOfTheServiceAccount) {
  use_aws();
  wanted.auth.role.clear();
  accounts.facts.annotations = {{"eks.amazonaws.com/role-arn", "arn:aws:iam::123456789012:role/annotated"}};
  ASSERT_TRUE(token());
  EXPECT_THAT(provider.calls.back().body, HasSubstr("role%2Fannotated"));

  use_google("");
  accounts.facts.annotations = {{"iam.gke.io/gcp-service-account", "annotated@shop.iam.gserviceaccount.com"}};
  provider.answers.push_back({200, R"({"accessToken": "GENERATED", "expireTime": "2027-11-30T22:00:00Z"})"});
  ASSERT_TRUE(token());
  EXPECT_THAT(provider.calls.back().path, HasSubstr("annotated%40"));

  use_azure();
  wanted.auth.tenant.clear();
  wanted.auth.client.clear();
  accounts.facts.annotations = {{"azure.workload.identity/tenant-id", "annotated.example"},
                                {"azure.workload.identity/client-id", "00000000-1111-2222-3333-555555555555"}};
  ASSERT_TRUE(token());
  EXPECT_THAT(provider.calls.back().path, StartsWith("/annotated.example/"));
}

TEST_F(CloudTokensTest, RefusesAnAnnotationThatIsMissingOrMalformed) {
  use_azure();
  wanted.auth.client.clear();
  const auto without = token();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::MissingDatabaseUrl);
  EXPECT_EQ(without.error().retry, RetryClass::Transient) << "annotating it triggers no reconcile";
  EXPECT_THAT(without.error().message,
              HasSubstr("ServiceAccount shop/orders has no annotation azure.workload.identity/client-id"));
  EXPECT_THAT(without.error().hint, HasSubstr("spec.database.auth.azure.clientID"));
  wanted.auth.tenant.clear();
  wanted.auth.client = "00000000-1111-2222-3333-444444444444";
  accounts.facts.annotations = {{"azure.workload.identity/tenant-id", "../evil?x="}};
  const auto malformed = token();
  ASSERT_FALSE(malformed);
  EXPECT_THAT(malformed.error().message, AllOf(HasSubstr("malformed"), Not(HasSubstr("evil"))));
  EXPECT_TRUE(provider.calls.empty());
  EXPECT_TRUE(accounts.audiences.empty()) << "no token is issued for nothing";
}

TEST_F(CloudTokensTest, KeepsACredentialUntilShortlyBeforeItExpires) {
  for (const bool aws : {true, false}) {
    const auto use = [&] { aws ? use_aws() : use_azure(); };
    provider.calls.clear();
    use();
    EXPECT_FALSE(token()->cached);
    EXPECT_TRUE(token()->cached);
    clock.advance(std::chrono::minutes(57));
    EXPECT_TRUE(token()->cached);
    EXPECT_EQ(provider.calls.size(), 1U);
    clock.advance(std::chrono::minutes(1));
    use();
    EXPECT_FALSE(token()->cached);
    EXPECT_EQ(provider.calls.size(), 2U);
  }
}

TEST_F(CloudTokensTest, SignsARdsTokenAnewForEveryConnection) {
  use_aws();
  const std::string first = value();
  clock.advance(std::chrono::minutes(14));
  const auto second = token();
  EXPECT_NE(second->value, first);
  EXPECT_EQ(second->expires_at, clock.wall_now() + std::chrono::minutes(15));
  wanted.user = "another";
  EXPECT_THAT(value(), HasSubstr("DBUser=another"));
  EXPECT_EQ(provider.calls.size(), 1U);
}

TEST_F(CloudTokensTest, ARdsTokenIsNoLongerValidThanItsCredentials) {
  use_aws();
  answer_aws("AKIA1", std::chrono::minutes(5));
  EXPECT_EQ(token()->expires_at, clock.wall_now() + std::chrono::minutes(5));
}

TEST_F(CloudTokensTest, AsksTheProviderAgainWhenToldTo) {
  use_azure();
  ASSERT_TRUE(token());
  provider.answers = {{200, R"({"expires_in": 3599, "access_token": "RENEWED"})"}};
  EXPECT_EQ(value(), "ENTRA");
  EXPECT_EQ(token(true)->value, "RENEWED");
  EXPECT_EQ(value(), "RENEWED");
}

TEST_F(CloudTokensTest, SharesNothingBetweenIdentities) {
  use_azure();
  ASSERT_TRUE(token());
  const auto asks_anew = [&] {
    const std::size_t before = provider.calls.size();
    EXPECT_TRUE(token());
    return provider.calls.size() > before;
  };
  EXPECT_FALSE(asks_anew());
  wanted.name_space = "warehouse";
  EXPECT_TRUE(asks_anew());
  wanted.auth.service_account = "another";
  EXPECT_TRUE(asks_anew());
  wanted.auth.client = "00000000-1111-2222-3333-555555555555";
  EXPECT_TRUE(asks_anew());
  wanted.auth.tenant = "another.example";
  EXPECT_TRUE(asks_anew());
  accounts.facts.uid = "uid-2";
  EXPECT_TRUE(asks_anew()) << "it was deleted and created again";
  EXPECT_FALSE(asks_anew());
}

TEST_F(CloudTokensTest, AServiceAccountThatMayNoLongerBeUsedStopsAKeptToken) {
  use_azure();
  ASSERT_TRUE(token());
  accounts.missing = Error(ErrorCode::MissingDatabaseUrl, "it does not carry the label");
  EXPECT_FALSE(token());
}

TEST_F(CloudTokensTest, ErrorsNameServiceAccountAndCodeAndNothingElse) {
  const auto refused = [&](int status, const std::string& body) {
    provider.answers = {{status, body}};
    const auto made = token(true);
    EXPECT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::MissingDatabaseUrl);
    EXPECT_EQ(made.error().retry, RetryClass::Transient) << "what is granted later triggers no reconcile";
    const std::string text = made.error().describe() + "\n" + made.error().hint;
    for (const char* const secret : {"SECRET", "KUBERNETES-TOKEN", "FEDERATED", "SESSION"}) {
      EXPECT_THAT(text, Not(HasSubstr(secret)));
    }
    return text;
  };
  use_aws();
  EXPECT_THAT(refused(403, "<Error><Code>AccessDenied</Code><Message>SECRET</Message></Error>"),
              AllOf(HasSubstr("AWS gives ServiceAccount shop/orders no token for the database: AccessDenied (status 403)"),
                    HasSubstr("the trust policy of arn:aws:iam::123456789012:role/orders"), HasSubstr("sts.amazonaws.com")));
  EXPECT_THAT(refused(200, "<Credentials><AccessKeyId>SECRET</AccessKeyId></Credentials>"), HasSubstr("its answer holds none"));
  EXPECT_THAT(refused(302, ""), HasSubstr("status 302"));
  use_google("orders@shop.iam.gserviceaccount.com");
  EXPECT_THAT(refused(400, R"({"error": "invalid_grant", "error_description": "SECRET"})"),
              AllOf(HasSubstr("Google Cloud gives"), HasSubstr("invalid_grant (status 400)")));
  use_google("orders@shop.iam.gserviceaccount.com");
  const HttpsAnswer federated = provider.answers.front();
  provider.answers = {federated, {403, R"({"error": {"status": "PERMISSION_DENIED", "message": "SECRET"}})"}};
  const auto denied = token(true);
  ASSERT_FALSE(denied);
  EXPECT_THAT(denied.error().message, HasSubstr("PERMISSION_DENIED (status 403)"));
  EXPECT_THAT(denied.error().hint, HasSubstr("roles/iam.workloadIdentityUser on orders@shop.iam.gserviceaccount.com"));
  use_azure();
  EXPECT_THAT(refused(400, R"({"error": "invalid_client", "error_codes": [700213], "error_description": "SECRET"})"),
              AllOf(HasSubstr("Azure gives"), HasSubstr("invalid_client AADSTS700213 (status 400)")));
  EXPECT_THAT(refused(503, "SECRET"), HasSubstr("status 503"));
}

TEST_F(CloudTokensTest, AnUnreachableProviderIsRetried) {
  use_azure();
  provider.answers.clear();
  const auto made = token();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::ApiUnreachable);
  EXPECT_EQ(made.error().retry, RetryClass::Transient);
}

TEST_F(CloudTokensTest, SendsTokensOnlyToEndpointsOfTheAdministrator) {
  CloudEndpoints endpoints;
  EXPECT_TRUE(endpoints.set("aws-sts=https://sts.example.org"));
  EXPECT_TRUE(endpoints.set("azure-login=https://127.0.0.1:8443"));
  EXPECT_EQ(endpoints.aws_sts_of("eu-central-1"), "https://sts.example.org");
  EXPECT_EQ(endpoints.azure_login, "https://127.0.0.1:8443");
  EXPECT_EQ(CloudEndpoints().aws_sts_of("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn");
  for (const char* const wrong : {"", "aws-sts", "aws-sts=", "aws-sts=http://a", "aws-sts=https://", "aws-sts=https://a/b",
                                  "aws-sts=https://a@b", "elsewhere=https://a", "gcp-sts=https://a?b", "gcp-iam=https://a b"}) {
    EXPECT_FALSE(endpoints.set(wrong)) << wrong;
  }
}

TEST(DatabaseAuth, NamesOfProvidersCannotLeadElsewhere) {
  for (const char* const good : {"eu-central-1", "us-gov-west-1", "ap-southeast-10", "cn-north-1"}) {
    EXPECT_TRUE(is_aws_region(good)) << good;
  }
  for (const char* const bad : {"", "-", "eu", "eu-1", "eu-central", "eu-central-1.evil.org", "evil.org/", "eu-central-123",
                                "EU-central-1", "eu-central-1 ", "eu--1", "a-b-c-d-1", "eu-central-1\n"}) {
    EXPECT_FALSE(is_aws_region(bad)) << bad;
  }
  EXPECT_TRUE(is_aws_role("arn:aws:iam::123456789012:role/path/to/orders"));
  EXPECT_TRUE(is_aws_role("arn:aws-cn:iam::123456789012:role/orders"));
  for (const char* const bad :
       {"", "orders", "arn:aws:iam::1:role/a", "arn:aws:iam::123456789012:user/a", "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/a b", "arn:aws:sts::123456789012:role/a"}) {
    EXPECT_FALSE(is_aws_role(bad)) << bad;
  }
  EXPECT_TRUE(is_workload_provider("projects/7/locations/global/workloadIdentityPools/p/providers/q"));
  EXPECT_TRUE(is_gke_cluster("projects/example.com:shop/locations/europe-west3-a/clusters/main"));
  for (const char* const bad : {"", "projects/7", "projects//locations/global/clusters/a", "projects/a/locations/b/clusters/..",
                                "projects/a/locations/b/clusters/c/d", "projects/a b/locations/b/clusters/c"}) {
    EXPECT_FALSE(is_gke_cluster(bad)) << bad;
    EXPECT_FALSE(is_workload_provider(bad)) << bad;
  }
  EXPECT_TRUE(is_google_account("orders@shop-prod.iam.gserviceaccount.com"));
  for (const char* const bad : {"", "orders", "@a.b", "a@b", "a@b@c.d", "a/b@c.d", "a@c.d/x"}) {
    EXPECT_FALSE(is_google_account(bad)) << bad;
  }
  EXPECT_TRUE(is_azure_tenant("00000000-1111-2222-3333-444444444444"));
  EXPECT_TRUE(is_azure_tenant("contoso.onmicrosoft.com"));
  for (const char* const bad : {"", "..", "../x", "a/b", "a?b", "a b"}) {
    EXPECT_FALSE(is_azure_tenant(bad)) << bad;
  }
  EXPECT_TRUE(is_azure_client("abcdefAB-1111-2222-3333-444444444444"));
  for (const char* const bad : {"", "orders", "00000000-1111-2222-3333-44444444444", "g0000000-1111-2222-3333-444444444444"}) {
    EXPECT_FALSE(is_azure_client(bad)) << bad;
  }
}

TEST_F(CloudTokensTest, KeepsNoAwsCredentialForMoreThanAnHour) {
  use_aws();
  answer_aws("AKIA1", std::chrono::hours(12));
  ASSERT_TRUE(token());
  clock.advance(std::chrono::minutes(58));
  EXPECT_FALSE(token()->cached);
}

TEST_F(CloudTokensTest, SharesNothingBetweenRolesAndGoogleAccounts) {
  use_aws();
  EXPECT_FALSE(token()->cached);
  wanted.auth.role = "arn:aws:iam::123456789012:role/another";
  EXPECT_FALSE(token()->cached);
  wanted.auth.region = "eu-west-1";
  EXPECT_FALSE(token()->cached);
  for (const std::string account : {"orders@shop.iam.gserviceaccount.com", "another@shop.iam.gserviceaccount.com"}) {
    use_google(account);
    EXPECT_FALSE(token()->cached) << account;
  }
}

TEST_F(CloudTokensTest, KeepsALimitedNumberOfCredentials) {
  use_azure();
  ASSERT_TRUE(token());
  for (std::size_t i = 1; i <= CloudTokens::kMostKept; ++i) {
    wanted.name_space = "n" + std::to_string(i);
    ASSERT_TRUE(token());
  }
  wanted.name_space = "shop";
  EXPECT_FALSE(token()->cached);
}

TEST_F(CloudTokensTest, ShortensTheSessionNameToWhatAwsTakes) {
  use_aws();
  wanted.auth.service_account = std::string(100, 'a');
  ASSERT_TRUE(token());
  EXPECT_THAT(provider.calls.back().body, HasSubstr("RoleSessionName=athanor-shop." + std::string(64 - 13, 'a') + "&"));
}

TEST_F(CloudTokensTest, AsksForTheAudienceOfTheRegionsPartition) {
  use_aws();
  wanted.auth.region = "cn-north-1";
  ASSERT_TRUE(token());
  EXPECT_THAT(accounts.audiences, ElementsAre("sts.amazonaws.com.cn"));
}

TEST_F(CloudTokensTest, TakesAnEmptyAnnotationForNone) {
  use_google("");
  accounts.facts.annotations = {{"iam.gke.io/gcp-service-account", ""}};
  EXPECT_EQ(value(), "FEDERATED");
}

TEST_F(CloudTokensTest, PassesTheDeadlineOnToTheProvider) {
  for (const bool aws : {true, false}) {
    aws ? use_aws() : use_azure();
    ASSERT_TRUE(tokens.token(wanted, TokenTerms{.deadline = milliseconds(1'234)}));
    EXPECT_EQ(provider.calls.back().deadline, milliseconds(1'234));
  }
}

TEST_F(CloudTokensTest, AdvisesNothingWhereTheProviderIsBusy) {
  use_azure();
  for (const int status : {429, 500, 503}) {
    provider.answers = {{status, ""}};
    EXPECT_THAT(token().error().hint, HasSubstr("by itself")) << status;
  }
  provider.answers = {{400, ""}};
  EXPECT_THAT(token().error().hint, HasSubstr("federated credential"));
}

TEST_F(CloudTokensTest, RefusesAwsCredentialsWithAnEmptyPart) {
  for (const std::string part : {"AKIA1", "SECRET-KEY", "SESSION"}) {
    use_aws();
    std::string& body = provider.answers.front().body;
    body.replace(body.find(">" + part + "<") + 1, part.size(), "");
    EXPECT_FALSE(token()) << part;
  }
}

}  // namespace
}  // namespace athanor::controller
