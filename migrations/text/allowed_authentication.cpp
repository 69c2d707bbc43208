#include "migrations/text/allowed_authentication.hpp"

#include <algorithm>
#include <array>

namespace athanor {
namespace {

// Codes of AuthenticationRequest, "Message Formats" in PostgreSQL's documentation.
constexpr int kOk = 0;
constexpr int kPassword = 3;
constexpr int kMd5 = 5;
constexpr int kGss = 7;
constexpr int kGssContinue = 8;
constexpr int kSspi = 9;
constexpr int kSasl = 10;
constexpr int kSaslFinal = 12;

struct Method {
  std::string_view name;
  bool AllowedAuthentication::*allowed;
};
constexpr std::array kMethods{
    Method{"password", &AllowedAuthentication::password},   Method{"md5", &AllowedAuthentication::md5},
    Method{"gss", &AllowedAuthentication::other},           Method{"sspi", &AllowedAuthentication::other},
    Method{"scram-sha-256", &AllowedAuthentication::scram}, Method{"none", &AllowedAuthentication::none}};

Error unknown_list() {
  return Error(ErrorCode::Configuration, "the database URL has an invalid value for `require_auth`")
      .advise(
          "write a list of password, md5, gss, sspi, scram-sha-256 and none, or prefix all of them with ! to reject them: "
          "!password,!md5");
}

}  // namespace

bool AllowedAuthentication::allows(int code) const {
  switch (code) {
    case kOk:  // as the first request; later it ends another method
      return none;
    case kPassword:
      return password;
    case kMd5:
      return md5;
    case kGss:
    case kGssContinue:
    case kSspi:
      return other;
    default:
      return code >= kSasl && code <= kSaslFinal ? scram : all();
  }
}

Result<AllowedAuthentication> parse_require_auth(std::string_view list) {
  AllowedAuthentication allowed;
  if (list.empty()) {
    return allowed;
  }
  const bool negative = list.starts_with('!');
  if (!negative) {
    allowed = {false, false, false, false, false};
  }
  while (true) {
    const std::size_t end = std::min(list.find(','), list.size());
    std::string_view word = list.substr(0, end);
    if (word.starts_with('!') != negative) {
      return fail(unknown_list());
    }
    word.remove_prefix(negative ? 1 : 0);
    const auto* const method = std::ranges::find(kMethods, word, &Method::name);
    if (method == kMethods.end()) {
      return fail(unknown_list());
    }
    allowed.*(method->allowed) = !negative;
    if (end == list.size()) {
      return allowed;
    }
    list.remove_prefix(end + 1);
  }
}

std::string_view authentication_name(int code) {
  switch (code) {
    case kOk:
      return "none";
    case kPassword:
      return "password";
    case kMd5:
      return "md5";
    default:
      return code >= kSasl && code <= kSaslFinal ? "scram-sha-256" : "another one";
  }
}

}  // namespace athanor
