#include "operator/identity/aws_signature.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "migrations/base/sha256.hpp"
#include "migrations/text/percent_encoding.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";
constexpr const char* kScopeEnd = "aws4_request";

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  ::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), digest.data(), &length);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0x0fU];
  }
  return text;
}

// "20150830T123600Z".
std::string basic_time(WallTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return {text.data(), length};
}

}  // namespace

std::string aws_signing_key(std::string_view secret_access_key, std::string_view day, std::string_view region,
                            std::string_view service) {
  std::string key = hmac_sha256("AWS4" + std::string(secret_access_key), day);
  for (const std::string_view part : {region, service, std::string_view(kScopeEnd)}) {
    key = hmac_sha256(key, part);
  }
  return key;
}

std::string presigned_query(const PresignedRequest& request, const AwsCredentials& credentials) {
  const std::string time = basic_time(request.at);
  const std::string day = time.substr(0, 8);
  const std::string scope = day + "/" + request.region + "/" + request.service + "/" + kScopeEnd;
  auto query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.access_key_id + "/" + scope);
  query.emplace_back("X-Amz-Date", time);
  query.emplace_back("X-Amz-Expires", std::to_string(request.expires.count()));
  if (!credentials.session_token.empty()) {
    query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  query.emplace_back("X-Amz-SignedHeaders", "host");
  for (auto& [name, value] : query) {
    name = percent_encoded(name);
    value = percent_encoded(value);
  }
  std::ranges::sort(query);
  std::string encoded;
  for (const auto& [name, value] : query) {
    encoded += (encoded.empty() ? "" : "&") + name + "=" + value;
  }
  // Method, path, query, headers with an empty line after them, names of the signed headers, digest of the body.
  const std::string canonical =
      "GET\n" + request.path + "\n" + encoded + "\nhost:" + request.host + "\n\nhost\n" + request.payload_digest;
  const std::string text = std::string(kAlgorithm) + "\n" + time + "\n" + scope + "\n" + sha256_hex(canonical);
  const std::string key = aws_signing_key(credentials.secret_access_key, day, request.region, request.service);
  return encoded + "&X-Amz-Signature=" + hexadecimal(hmac_sha256(key, text));
}

std::string rds_token(const AwsCredentials& credentials, const RdsUser& login, WallTime at) {
  PresignedRequest request;
  // AWS's own clients sign the Host header of an https URL, which omits port 443.
  request.host = login.port == "443" ? login.host : login.host + ":" + login.port;
  request.query = {{"Action", "connect"}, {"DBUser", login.user}};
  request.region = login.region;
  request.service = "rds-db";
  request.expires = kRdsTokenLifetime;
  request.at = at;
  request.payload_digest = sha256_hex("");
  return login.host + ":" + login.port + "/?" + presigned_query(request, credentials);
}

}  // namespace athanor::controller
