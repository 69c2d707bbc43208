// AWS Signature Version 4 for presigned URLs, and the RDS token made of one.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html describes the algorithm. A token
// for RDS is a presigned URL of the action `connect` without its scheme; it is made here and sent to no other server than the
// database.
//
// Threads: pure functions. Secrets: keys and signatures; never log them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"

namespace athanor::controller {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: none
};

struct PresignedRequest {
  std::string host;  // as in the Host header: with the port unless it is the scheme's own
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> query;  // not encoded
  std::string region;
  std::string service;
  std::chrono::seconds expires{900};
  WallTime at;
  std::string payload_digest;  // hexadecimal SHA-256 of the body, or "UNSIGNED-PAYLOAD"
};

// The 32 bytes of the signing key for a day ("20150830"), region and service.
[[nodiscard]] std::string aws_signing_key(std::string_view secret_access_key, std::string_view day, std::string_view region,
                                          std::string_view service);

// The complete query of a presigned GET, without the question mark.
[[nodiscard]] std::string presigned_query(const PresignedRequest& request, const AwsCredentials& credentials);

inline constexpr std::chrono::seconds kRdsTokenLifetime{900};  // which RDS demands

struct RdsUser {
  std::string host;
  std::string port;
  std::string user;
  std::string region;
};

// The token for one user at host:port, valid for kRdsTokenLifetime after `at`.
[[nodiscard]] std::string rds_token(const AwsCredentials& credentials, const RdsUser& login, WallTime at);

}  // namespace athanor::controller
