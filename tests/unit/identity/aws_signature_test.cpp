// AWS Signature Version 4, against values that AWS published.
#include "operator/identity/aws_signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/base/sha256.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

WallTime at(const std::string& time) {
  return parse_iso8601(time).value();
}

std::string hexadecimal(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4U];
    text += kDigits[static_cast<unsigned char>(c) & 0x0fU];
  }
  return text;
}

// "Deriving the signing key" in AWS's General Reference (Signature Version 4): 20150830, us-east-1, iam.
TEST(AwsSignature, DerivesTheSigningKeyOfTheDocumentation) {
  EXPECT_EQ(hexadecimal(aws_signing_key("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam")),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
}

// "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" in the Amazon S3 API Reference.
TEST(AwsSignature, PresignsTheRequestOfTheDocumentation) {
  PresignedRequest request;
  request.host = "examplebucket.s3.amazonaws.com";
  request.path = "/test.txt";
  request.region = "us-east-1";
  request.service = "s3";
  request.expires = std::chrono::seconds(86'400);
  request.at = at("2013-05-24T00:00:00Z");
  request.payload_digest = "UNSIGNED-PAYLOAD";
  EXPECT_EQ(presigned_query(request, {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""}),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

// test_generate_db_auth_token in botocore's tests/unit/test_signers.py. The order of the parameters is free.
TEST(AwsSignature, MakesTheRdsTokenThatBotocoreMakes) {
  EXPECT_EQ(rds_token({"akid", "skid", ""}, {"prod-instance.us-east-1.rds.amazonaws.com", "3306", "someusername", "us-east-1"},
                      at("2016-11-07T17:39:33Z")),
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=someusername"
            "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=akid%2F20161107%2Fus-east-1%2Frds-db%2Faws4_request"
            "&X-Amz-Date=20161107T173933Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host"
            "&X-Amz-Signature=d1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61");
}

TEST(AwsSignature, EncodesUserAndSessionTokenAndSignsThem) {
  const auto token = [](const std::string& user, const std::string& session) {
    return rds_token({"akid", "skid", session}, {"db", "5432", user, "us-east-1"}, at("2016-11-07T17:39:33Z"));
  };
  const std::string one = token("a&DBUser=b c", "FwoG/+=");
  EXPECT_THAT(one, StartsWith("db:5432/?Action=connect&DBUser=a%26DBUser%3Db%20c&X-Amz-Algorithm="));
  EXPECT_THAT(one, HasSubstr("&X-Amz-Security-Token=FwoG%2F%2B%3D&X-Amz-SignedHeaders=host&X-Amz-Signature="));
  const auto signature = [](const std::string& text) { return text.substr(text.rfind('=')); };
  EXPECT_NE(signature(one), signature(token("a", "FwoG/+=")));
  EXPECT_NE(signature(one), signature(token("a&DBUser=b c", "another")));
}

TEST(AwsSignature, SortsTheQueryBeforeItSigns) {
  PresignedRequest request;
  request.query = {{"b", "2"}, {"a", "1"}};
  EXPECT_THAT(presigned_query(request, {"akid", "skid", ""}), HasSubstr("a=1&b=2"));
}

TEST(AwsSignature, SignsTheHostWithoutThePortOfHttps) {
  const auto token = [](const std::string& port) {
    return rds_token({"akid", "skid", ""}, {"db", port, "u", "us-east-1"}, at("2016-11-07T17:39:33Z"));
  };
  EXPECT_THAT(token("443"), StartsWith("db:443/?"));
  PresignedRequest request;
  request.host = "db";
  request.query = {{"Action", "connect"}, {"DBUser", "u"}};
  request.region = "us-east-1";
  request.service = "rds-db";
  request.expires = kRdsTokenLifetime;
  request.at = at("2016-11-07T17:39:33Z");
  request.payload_digest = sha256_hex("");
  EXPECT_EQ(token("443"), "db:443/?" + presigned_query(request, {"akid", "skid", ""}));
}

}  // namespace
}  // namespace athanor::controller
