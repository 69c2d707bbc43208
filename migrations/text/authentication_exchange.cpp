#include "migrations/text/authentication_exchange.hpp"

#include <cstdint>
#include <string>

namespace athanor {
namespace {

constexpr std::size_t kHeader = 5;        // type, length
constexpr std::size_t kLongest = 65'536;  // libpq gives up on 2000 bytes of a request
constexpr char kAuthentication = 'R';
constexpr char kNegotiateVersion = 'v';

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(at, 4)) {
    number = (number << 8U) | static_cast<unsigned char>(byte);
  }
  return number;
}

}  // namespace

Result<std::size_t> AuthenticationExchange::judge(std::string_view bytes) {
  if (bytes.size() < kHeader) {
    return kHeader;
  }
  if (bytes.front() != kAuthentication && bytes.front() != kNegotiateVersion) {
    // An error, or a message that libpq rejects. A server that cannot fork sends plain text without a length, so do not wait
    // for the rest.
    over_ = true;
    return bytes.size();
  }
  const std::uint32_t length = number_at(bytes, 1);
  if (length < 8 || length > kLongest) {
    return fail(ErrorCode::DatabaseUnreachable, "invalid authentication request from the server");
  }
  const std::size_t whole = std::size_t{length} + 1;
  if (bytes.size() < whole || bytes.front() == kNegotiateVersion) {
    return whole;
  }
  const auto code = static_cast<int>(number_at(bytes, kHeader));
  const bool ends = code == 0 && asked_;
  if (!ends && !allowed_.allows(code)) {
    return fail(Error(ErrorCode::AuthenticationFailed, "the server requests an authentication method that is not allowed: " +
                                                           std::string(authentication_name(code)))
                    .advise("without verified TLS, any server could obtain the password: use sslmode=verify-full, set "
                            "password_encryption to "
                            "scram-sha-256, or allow the method with require_auth"));
  }
  asked_ = true;
  over_ = code == 0;
  return whole;
}

}  // namespace athanor
