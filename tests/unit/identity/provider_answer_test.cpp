// Answers of providers, which are not trusted.
#include "operator/identity/provider_answer.hpp"

#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

const WallTime kNow = parse_iso8601("2026-11-30T22:00:00Z").value();

TEST(ProviderAnswer, ReadsTheTextOfAnElement) {
  EXPECT_EQ(xml_text("<a><Code>AccessDenied</Code></a>", "Code"), "AccessDenied");
  EXPECT_EQ(xml_text("<Key>a&amp;b&lt;&gt;&quot;&apos;</Key>", "Key"), "a&b<>\"'");
  EXPECT_EQ(xml_text("<Key></Key>", "Key"), "");
  for (const char* const broken : {"", "<Key>", "<Key>a", "Key", "<Key>a<b/></Key>", "<Key>&#65;</Key>", "<Key>&amp</Key>"}) {
    EXPECT_EQ(xml_text(broken, "Key"), std::nullopt) << broken;
  }
}

TEST(ProviderAnswer, KeepsOnlyTheErrorCodeOfARefusal) {
  EXPECT_EQ(refusal_code("<ErrorResponse><Error><Code>AccessDenied</Code><Message>SECRET</Message></Error></ErrorResponse>"),
            "AccessDenied");
  EXPECT_EQ(refusal_code(R"({"error": "invalid_grant", "error_description": "SECRET"})"), "invalid_grant");
  EXPECT_EQ(refusal_code(R"({"error": {"code": 403, "message": "SECRET", "status": "PERMISSION_DENIED"}})"),
            "PERMISSION_DENIED");
  EXPECT_EQ(refusal_code(R"({"error": "invalid_client", "error_description": "SECRET", "error_codes": [700213, 1]})"),
            "invalid_client AADSTS700213");
  for (const char* const odd :
       {"", "SECRET", "[]", "{}", "<Code>SECRET TEXT</Code>", R"({"error": "SECRET TEXT"})", R"({"error": 5})",
        R"({"error": {"status": "SECRET\nTEXT"}})", R"({"error": {"status": 3}})", "{", "<Code></Code>"}) {
    EXPECT_EQ(refusal_code(odd), "") << odd;
  }
  EXPECT_EQ(refusal_code("<Code>" + std::string(65, 'a') + "</Code>"), "");
  EXPECT_EQ(refusal_code(R"({"error": "invalid_client", "error_codes": ["SECRET"]})"), "invalid_client");
}

TEST(ProviderAnswer, ReadsTokensWithTheirExpiry) {
  const auto token = oauth_token(R"({"access_token": "abc", "expires_in": 600, "token_type": "Bearer"})", kNow);
  ASSERT_TRUE(token) << token.error().describe();
  EXPECT_EQ(token->value, "abc");
  EXPECT_EQ(token->expires_at, kNow + std::chrono::minutes(10));
  EXPECT_EQ(oauth_token(R"({"access_token": "abc", "expires_in": "600"})", kNow)->expires_at, kNow + std::chrono::minutes(10));
  EXPECT_EQ(oauth_token(R"({"access_token": "abc", "expires_in": 9223372036854775807})", kNow)->expires_at,
            kNow + std::chrono::hours(1))
      << "no token is trusted for longer";
  const auto google = google_token(R"({"accessToken": "abc", "expireTime": "2026-11-30T22:30:00.123456789Z"})", kNow);
  ASSERT_TRUE(google) << google.error().describe();
  EXPECT_EQ(google->expires_at, kNow + std::chrono::minutes(30));
  EXPECT_EQ(google_token(R"({"accessToken": "abc", "expireTime": "2026-12-30T22:00:00Z"})", kNow)->expires_at,
            kNow + std::chrono::hours(1));
}

TEST(ProviderAnswer, RefusesWhatIsNoToken) {
  for (const std::string odd :
       {"", "[]", "{}", "null", R"({"access_token": "", "expires_in": 600})", R"({"access_token": 1, "expires_in": 600})",
        R"({"access_token": "abc"})", R"({"access_token": "abc", "expires_in": 0})",
        R"({"access_token": "abc", "expires_in": -5})", R"({"access_token": "a c", "expires_in": 600})",
        R"({"access_token": "a\u0000c", "expires_in": 600})", R"({"access_token": "abc", "expires_in": "6x"})",
        R"({"access_token": "abc", "expires_in": "99999999999999999999"})"}) {
    EXPECT_FALSE(oauth_token(odd, kNow)) << odd;
  }
  EXPECT_FALSE(oauth_token(R"({"access_token": ")" + std::string(40'000, 'a') + R"(", "expires_in": 600})", kNow));
  for (const std::string odd :
       {"", "{}", R"({"accessToken": "abc"})", R"({"accessToken": "abc", "expireTime": "2026-11-30T21:59:59Z"})",
        R"({"accessToken": "abc", "expireTime": "soon"})",
        R"({"accessToken": "abc", "expireTime": "2026-11-30T22:30:00.1"})"}) {
    EXPECT_FALSE(google_token(odd, kNow)) << odd;
  }
}

}  // namespace
}  // namespace athanor::controller
