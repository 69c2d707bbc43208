#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "operator/kube/api_client.hpp"
#include "operator/kube/api_status.hpp"
#include "operator/kube/object_stream.hpp"
#include "operator/kube/rate_limit.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_transport.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string status_body(int code, const std::string& message) {
  return KubeObject{{"kind", "Status"}, {"code", code}, {"message", message}}.dump();
}

class RestClientTest : public testing::Test {
 protected:
  void make(RestClientOptions options = {}) {
    client = make_rest_client(transport, clock, options, stop.token(), [this](const std::string& method, int status) {
      observed.push_back(method + " " + std::to_string(status));
    });
  }
  void SetUp() override { make(); }
  Result<KubeObject> get() { return client->get(kube::kDatabaseMigrations, "shop", "orders"); }

  test::FakeClock clock;
  test::FakeTransport transport;
  StopSource stop;
  std::vector<std::string> observed;
  std::unique_ptr<KubeClient> client;
};

TEST(ResourcePath, NamesGroupNamespaceNameAndSubresource) {
  EXPECT_EQ(resource_path(kube::kDatabaseMigrations, "shop", "orders", "status"),
            "/apis/athanor.dev/v1alpha1/namespaces/shop/databasemigrations/orders/status");
  EXPECT_EQ(resource_path(kube::kSecrets, "", ""), "/api/v1/secrets");
  EXPECT_EQ(resource_path(kube::kNamespaces, "ignored", "shop"), "/api/v1/namespaces/shop");
}

TEST(ResourcePath, EscapesWhatCouldLeadElsewhere) {
  EXPECT_EQ(resource_path(kube::kSecrets, "shop", "../x?y=1#ä"), "/api/v1/namespaces/shop/secrets/..%2Fx%3Fy%3D1%23%C3%A4");
}

TEST_F(RestClientTest, GetReturnsTheObject) {
  transport.answer(200, R"({"metadata":{"name":"orders"}})");
  EXPECT_EQ(get()->at("metadata").at("name"), "orders");
  EXPECT_EQ(transport.requests[0].method, "GET");
  EXPECT_THAT(observed, ElementsAre("GET 200"));
}

TEST_F(RestClientTest, StatusCodesBecomeErrorCodes) {
  for (const auto& [status, code] :
       {std::pair{400, ErrorCode::ApiInvalid}, std::pair{401, ErrorCode::ApiUnauthorized},
        std::pair{403, ErrorCode::ApiForbidden}, std::pair{404, ErrorCode::ApiNotFound}, std::pair{409, ErrorCode::ApiConflict},
        std::pair{410, ErrorCode::ApiExpired}, std::pair{413, ErrorCode::ApiInvalid}, std::pair{415, ErrorCode::ApiInvalid},
        std::pair{422, ErrorCode::ApiInvalid}, std::pair{302, ErrorCode::ApiUnreachable},
        std::pair{501, ErrorCode::ApiUnreachable}}) {
    transport.answer(status, status_body(status, "words of the server"));
    const auto result = get();
    ASSERT_FALSE(result) << status;
    EXPECT_EQ(result.error().code, code) << status;
    EXPECT_THAT(result.error().describe(), HasSubstr("get databasemigrations.athanor.dev shop/orders: words of the server"));
  }
}

TEST_F(RestClientTest, AResponseThatIsNotJsonIsNeitherQuotedNorAccepted) {
  transport.answer(200, "<html>please log in</html>");
  EXPECT_EQ(get().error().code, ErrorCode::ApiUnreachable);
  transport.answer(403, "<html>please log in</html>");
  const Error refused = get().error();
  EXPECT_EQ(refused.code, ErrorCode::ApiForbidden);
  EXPECT_THAT(refused.describe(), Not(HasSubstr("html")));
}

TEST_F(RestClientTest, TriesA429AgainAfterTheTimeTheServerNames) {
  transport.answer(429, "{}", seconds(7));
  transport.answer(200);
  EXPECT_TRUE(get());
  ASSERT_EQ(clock.waits.size(), 1U);
  EXPECT_GE(clock.waits[0], seconds(7));
  EXPECT_LE(clock.waits[0], milliseconds(8'750));
  EXPECT_THAT(observed, ElementsAre("GET 429", "GET 200"));
}

TEST_F(RestClientTest, PausesBetweenServerErrorsGrow) {
  for (int i = 0; i < 4; ++i) {
    transport.answer(503);
  }
  transport.answer(200);
  EXPECT_TRUE(get());
  ASSERT_EQ(clock.waits.size(), 4U);
  milliseconds least{200};
  for (const milliseconds wait : clock.waits) {
    EXPECT_GE(wait, least);
    EXPECT_LE(wait, least * 5 / 4);
    least *= 2;
  }
}

TEST_F(RestClientTest, ClientsThatWereRefusedTogetherDoNotComeBackTogether) {
  std::set<milliseconds> pauses;
  for (int i = 0; i < 16; ++i) {
    make();  // another replica, or the same one started again
    clock.waits.clear();
    transport.answer(503);
    transport.answer(200);
    ASSERT_TRUE(get());
    ASSERT_EQ(clock.waits.size(), 1U);
    pauses.insert(clock.waits[0]);
  }
  EXPECT_GT(pauses.size(), 1U);  // sixteen equal ones of fifty are no accident
}

TEST_F(RestClientTest, GivesUpBeforeThePauseThatEndsBehindTheDeadline) {
  make({.deadline = seconds(5)});
  transport.answer(503, status_body(503, "starting"));
  transport.answer(429, status_body(429, "busy"), seconds(60));
  const auto result = get();
  EXPECT_EQ(result.error().code, ErrorCode::ApiThrottled);
  EXPECT_EQ(transport.requests.size(), 2U);
  EXPECT_LE(clock.elapsed(), seconds(5));
  EXPECT_LT(transport.requests[1].deadline, seconds(5));  // what is left of it
}

TEST_F(RestClientTest, APostIsRepeatedAfter429Only) {
  const KubeObject object{{"metadata", {{"name", "a"}}}};
  transport.answer(503, status_body(503, "who knows whether it was done"));
  EXPECT_EQ(client->create(kube::kSecrets, "shop", object).error().code, ErrorCode::ApiUnreachable);
  EXPECT_EQ(transport.requests.size(), 1U);
  transport.answer(429);
  transport.answer(201);
  EXPECT_TRUE(client->create(kube::kSecrets, "shop", object));
  EXPECT_EQ(transport.requests.size(), 3U);
}

TEST_F(RestClientTest, CreatesASubresourceOfAnExistingObject) {
  transport.answer(201, R"({"status":{"token":"t"}})");
  CreateOptions options;
  options.name = "orders";
  options.subresource = "token";
  EXPECT_TRUE(client->create(kube::kServiceAccounts, "shop", {{"kind", "TokenRequest"}}, options));
  EXPECT_EQ(transport.requests[0].method + " " + transport.requests[0].path,
            "POST /api/v1/namespaces/shop/serviceaccounts/orders/token");
  transport.answer(404, status_body(404, "not found"));
  const auto missing = client->create(kube::kServiceAccounts, "shop", {{"kind", "TokenRequest"}}, options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::ApiNotFound);
  EXPECT_THAT(missing.error().describe(), HasSubstr("create token of serviceaccounts shop/orders"));
}

TEST_F(RestClientTest, AConnectionErrorIsReportedImmediately) {
  transport.answer(Error(ErrorCode::ApiUnreachable, "connection refused"));
  const auto result = get();
  EXPECT_EQ(result.error().code, ErrorCode::ApiUnreachable);
  EXPECT_THAT(result.error().describe(), HasSubstr("shop/orders: connection refused"));
  EXPECT_THAT(observed, ElementsAre("GET 0"));
}

TEST_F(RestClientTest, ARepeatedDeleteThatFindsNothingSucceeded) {
  transport.answer(504);
  transport.answer(404);
  EXPECT_TRUE(client->remove(kube::kConfigMaps, "shop", "plan", {}));
  transport.answer(404);
  EXPECT_EQ(client->remove(kube::kConfigMaps, "shop", "plan", {}).error().code, ErrorCode::ApiNotFound);
}

TEST_F(RestClientTest, AStopEndsThePauseBetweenTwoTries) {
  transport.answer(503);
  clock.on_wait = [this](milliseconds) { stop.request(); };
  EXPECT_EQ(get().error().code, ErrorCode::Interrupted);
  EXPECT_EQ(transport.requests.size(), 1U);
}

TEST_F(RestClientTest, APatchIsAMergePatchAndAReplacementIsNot) {
  transport.answer(200);
  ASSERT_TRUE(client->patch(kube::kDatabaseMigrations, "shop", "orders", KubeObject::object()));
  EXPECT_EQ(transport.requests[0].method, "PATCH");
  EXPECT_EQ(transport.requests[0].content_type, "application/merge-patch+json");
  transport.answer(200);
  ASSERT_TRUE(client->replace(kube::kDatabaseMigrations, "shop", "orders", KubeObject::object(), "status"));
  EXPECT_EQ(transport.requests[1].method, "PUT");
  EXPECT_EQ(transport.requests[1].path, resource_path(kube::kDatabaseMigrations, "shop", "orders", "status"));
  EXPECT_EQ(transport.requests[1].content_type, "application/json");
}

TEST_F(RestClientTest, ADeleteCarriesItsPreconditions) {
  transport.answer(200);
  ASSERT_TRUE(client->remove(kube::kJobs, "shop", "run", {"u-1", "77", "Foreground"}));
  const KubeObject body = KubeObject::parse(transport.requests[0].body);
  EXPECT_EQ(body["preconditions"], KubeObject({{"uid", "u-1"}, {"resourceVersion", "77"}}));
  EXPECT_EQ(body["propagationPolicy"], "Foreground");
}

TEST_F(RestClientTest, TextThatIsNoUtf8IsSentAsReplacementAndDoesNotThrow) {
  transport.answer(201);
  EXPECT_TRUE(client->create(kube::kConfigMaps, "shop", {{"data", {{"k", "a\xff"}}}}));
  EXPECT_THAT(transport.requests[0].body, HasSubstr("a\xEF\xBF\xBD"));
}

std::string page(const std::vector<std::string>& names, const std::string& next, const std::string& version = "90") {
  KubeObject list{{"metadata", {{"resourceVersion", version}, {"continue", next}, {"no", {{"item", {}}}}}},
                  {"items", KubeObject::array()}};
  for (const std::string& name : names) {
    list["items"].push_back({{"metadata", {{"name", name}}}, {"spec", {{"items", {{{"items", 1}}}}}}});
  }
  return list.dump();
}

TEST_F(RestClientTest, ListsPageByPageAndDeliversEachObject) {
  transport.answer(200, page({"a", "b"}, "t/1"));
  transport.answer(200, page({"c"}, ""));
  std::vector<KubeObject> objects;
  const auto version = client->list(kube::kSecrets, {"shop", "team in (a,b)", "", ""},
                                    [&](KubeObject object) { objects.push_back(std::move(object)); });
  EXPECT_EQ(version, "90");
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0]["kind"], "Secret");
  EXPECT_EQ(objects[0]["apiVersion"], "v1");
  EXPECT_EQ(objects[2]["spec"]["items"][0]["items"], 1);
  EXPECT_EQ(transport.requests[0].path, "/api/v1/namespaces/shop/secrets?limit=500&labelSelector=team%20in%20%28a%2Cb%29");
  EXPECT_THAT(transport.requests[1].path, HasSubstr("&continue=t%2F1"));
}

TEST_F(RestClientTest, AListWhoseHistoryExpiresBetweenPagesStartsAgain) {
  transport.answer(200, page({"gone"}, "t1"));
  transport.answer(410);
  transport.answer(200, page({"b"}, "t2"));
  transport.answer(200, page({"c"}, "", "95"));
  const auto all = list_all(*client, kube::kSecrets, {});
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_EQ(all->resource_version, "95");
  ASSERT_EQ(all->items.size(), 2U);
  EXPECT_EQ(all->items[0]["metadata"]["name"], "b");
}

TEST_F(RestClientTest, AnExpiredListIsReportedToCallersThatCannotRestart) {
  transport.answer(200, page({"gone"}, "t1"));
  transport.answer(410);
  EXPECT_EQ(client->list(kube::kSecrets, {}, [](const KubeObject&) {}).error().code, ErrorCode::ApiExpired);
}

TEST_F(RestClientTest, APageThatIsTooLargeIsRequestedInSmallerOnes) {
  const Error too_large = Error(ErrorCode::ApiUnreachable, "larger than 67108864 bytes").with_retry(RetryClass::Terminal);
  transport.answer(too_large);
  transport.answer(200, page({"a"}, "t1"));
  transport.answer(too_large);
  transport.answer(200, page({"b"}, ""));
  const auto all = list_all(*client, kube::kSecrets, {});
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_EQ(all->items.size(), 2U);
  std::vector<std::string> paths;
  for (const auto& request : transport.requests) {
    paths.push_back(request.path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"/api/v1/secrets?limit=500", "/api/v1/secrets?limit=62",
                                             "/api/v1/secrets?limit=62&continue=t1", "/api/v1/secrets?limit=7&continue=t1"}));
}

TEST_F(RestClientTest, AnObjectThatIsTooLargeIsAnErrorThatNoRetryMends) {
  for (int attempt = 0; attempt < 4; ++attempt) {
    transport.answer(Error(ErrorCode::ApiUnreachable, "larger than 67108864 bytes").with_retry(RetryClass::Terminal));
  }
  const auto listed = client->list(kube::kSecrets, {}, [](const KubeObject&) {});
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().retry, RetryClass::Terminal);
  EXPECT_EQ(transport.requests.back().path, "/api/v1/secrets?limit=1");
}

TEST_F(RestClientTest, AListThatBreaksOffIsAnError) {
  transport.answer(200, page({"a", "b"}, "").substr(0, 80));
  EXPECT_EQ(client->list(kube::kSecrets, {}, [](const KubeObject&) {}).error().code, ErrorCode::ApiUnreachable);
}

TEST_F(RestClientTest, AWatchDeliversItsEventsInOrder) {
  transport.answer_lines({R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})",
                          R"({"type":"MODIFIED","object":{"metadata":{"name":"a"}}})",
                          R"({"type":"DELETED","object":{"metadata":{"name":"a"}}})", "",
                          R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}})",
                          R"({"type":"BOOKMARK","object":{"metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}})",
                          R"({"type":"SPLIT","object":{}})", "{broken"});
  std::string kinds;
  const auto ended = client->watch(kube::kSecrets, {"shop", "", "", "", true, false, seconds(300)},
                                   [&](const WatchEvent& event) {
                                     kinds += "AMDBU"[static_cast<int>(event.kind)];
                                     kinds += event.initial_end ? "!" : "";
                                     kinds += event.kind == WatchEvent::Kind::Unknown && event.object.is_null() ? "?" : "";
                                   },
                                   {});
  EXPECT_TRUE(ended);
  EXPECT_EQ(kinds, "AMDBB!UU?");
  EXPECT_EQ(transport.requests[0].path,
            "/api/v1/namespaces/shop/secrets?watch=true&allowWatchBookmarks=true&timeoutSeconds=300"
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
}

TEST_F(RestClientTest, AnExpiredHistoryIsTheSameInAStatusAndInTheStream) {
  const auto watch = [this] {
    return client->watch(kube::kSecrets, {"", "", "", "5", false, false, seconds(300)}, [](const WatchEvent&) {}, {});
  };
  transport.answer(410, status_body(410, "too old resource version: 5 (9)"));
  EXPECT_EQ(watch().error().code, ErrorCode::ApiExpired);
  transport.answer_lines({R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}})"});
  EXPECT_EQ(watch().error().code, ErrorCode::ApiExpired);
  transport.answer_lines({R"({"type":"ERROR","object":{"kind":"Status","reason":"Expired","message":"too old"}})"});
  EXPECT_EQ(watch().error().code, ErrorCode::ApiExpired);
  transport.answer_lines({R"({"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is away"}})"});
  EXPECT_EQ(watch().error().code, ErrorCode::ApiUnreachable);
}

TEST_F(RestClientTest, AWatchThatBreaksOffIsUnreachableAndOneThatIsStoppedIsInterrupted) {
  const auto watch = [this](const StopToken& token) {
    return client->watch(
        kube::kSecrets, {"", "", "", "5", false, false, seconds(300)}, [](const WatchEvent&) {}, token);
  };
  transport.answer_lines({}, fail(ErrorCode::ApiUnreachable, "reset"));
  EXPECT_EQ(watch({}).error().code, ErrorCode::ApiUnreachable);
  stop.request();
  transport.answer_lines({R"({"type":"ADDED","object":{"metadata":{"name":"a"}}})"}, fail(ErrorCode::Interrupted, "stopped"));
  EXPECT_EQ(watch(stop.token()).error().code, ErrorCode::Interrupted);
}

TEST_F(RestClientTest, AWatchThatTheServerNeverEndsIsEndedHere) {
  transport.answer_lines({"{}", "{}", "{}"});
  int reported = 0;
  const auto ended = client->watch(kube::kSecrets, {"", "", "", "5", false, false, seconds(300)},
                                   [&](const WatchEvent&) {
                                     ++reported;
                                     clock.advance(seconds(200));
                                   },
                                   {});
  EXPECT_EQ(reported, 2);
  EXPECT_EQ(transport.lines_told, 1U);
}

TEST_F(RestClientTest, RequestsBeyondTheBurstWaitForTheirTurn) {
  make({.requests_per_second = 10, .burst = 3});
  for (int i = 0; i < 5; ++i) {
    transport.answer(200);
    EXPECT_TRUE(get());
  }
  EXPECT_THAT(clock.waits, ElementsAre(milliseconds(100), milliseconds(100)));
}

TEST(TokenBucketTest, FillsWithTimeUpToTheBurst) {
  test::FakeClock clock;
  TokenBucket bucket(clock, 2, 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(bucket.reserve(seconds(9)), milliseconds(0));
  }
  EXPECT_EQ(bucket.reserve(seconds(9)), milliseconds(500));
  EXPECT_EQ(bucket.reserve(seconds(9)), milliseconds(1'000));  // behind the one before
  EXPECT_EQ(bucket.reserve(milliseconds(1'499)), std::nullopt);
  EXPECT_EQ(bucket.reserve(milliseconds(1'500)), milliseconds(1'500));  // the refusal took nothing
  clock.advance(seconds(3'600));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(bucket.reserve(seconds(9)), milliseconds(0));
  }
  EXPECT_EQ(bucket.reserve(seconds(9)), milliseconds(500));
}

TEST(ApiStatus, ValuesThatTheServerQuotesAreTakenOut) {
  for (
      const char* message : {
          R"(DatabaseMigration "orders" is invalid: spec.url: Invalid value: "hunter2 \"x\" hunter2": must be a URL)",
          R"(spec: Invalid value: {"password":"hunter2","a":["}: "]}: must be a URL)",
          R"(spec: Invalid value: map[string]interface {}{"password":"hunter2"}: must be a URL)",
          R"(spec: Invalid value: []string{"hunter2: x", "hunter2"}: must be a URL)",
          R"(spec: Invalid value: api.Spec{Password:"hunter2", Port:(*int)(nil), Tags:map[string]string{"a: ":"b"}}: must be a URL)",
          R"(spec: Invalid value: {a: hunter2, b: [c: hunter2]}: must be a URL)",
          R"(spec.x: Unsupported value: "hunter2": must be a URL)",
          R"(spec.x: Duplicate value: hunter2: must be a URL)",
          R"(cannot reach postgres://app:hunter2@db/shop: must be a URL)",
      }) {
    const std::string clean = without_values(message);
    EXPECT_THAT(clean, Not(HasSubstr("hunter2"))) << message;
    EXPECT_THAT(clean, HasSubstr(": must be a URL")) << message;
  }
  EXPECT_THAT(without_values("cannot decode: bad value, error found in #10 byte of ...|\"hunter2\"|..., bigger context ...|x"),
              Not(HasSubstr("hunter2")));
}

TEST(ApiStatus, OfASecretOnlyFieldNamesAreRepeated) {
  const KubeObject status{
      {"kind", "Status"},
      {"message", "Secret \"db\" is invalid: whatever hunter2"},
      {"details", {{"causes", {{{"field", "data[password]"}, {"reason", "FieldValueInvalid"}, {"message", "hunter2"}}}}}}};
  const Error error = status_error(422, status.dump(), {"create secrets in shop", true, false});
  EXPECT_EQ(error.message, "the API server refuses this Secret: data[password] (FieldValueInvalid) (status 422)");
}

TEST(ApiStatus, MessagesAreShortAndPrintable) {
  const std::string clean = without_values("a\n\x1b[31m" + std::string(1'016, 'x') + "ääääääääääää");
  EXPECT_LE(clean.size(), 1'024U);
  EXPECT_TRUE(clean.starts_with("a  [31mxxx"));
  EXPECT_TRUE(clean.ends_with("..."));
  EXPECT_NO_THROW(static_cast<void>(KubeObject(clean).dump()));  // not cut inside a character
}

}  // namespace
}  // namespace athanor::controller
