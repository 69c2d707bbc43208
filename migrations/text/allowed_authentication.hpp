// require_auth: the authentication methods that a server may request.
//
// Without verified TLS any server can answer, and one that requests the password in plain text, or its MD5 hash, learns it.
// libpq supports the parameter since version 16. With an older libpq, AuthenticationGate enforces it on unencrypted connections
// and channel binding on encrypted ones, where only libpq can read the request.
//
// Threads: plain value, pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

struct AllowedAuthentication {
  bool password = true;  // plain text
  bool md5 = true;
  bool scram = true;
  bool none = true;
  bool other = true;  // GSS, SSPI
  bool operator==(const AllowedAuthentication&) const = default;

  [[nodiscard]] bool all() const { return *this == AllowedAuthentication(); }
  // `code` is the server's AuthenticationRequest code. Codes that the protocol does not define are allowed only with all().
  [[nodiscard]] bool allows(int code) const;
};

// Parses a list as libpq 16 does: "scram-sha-256,none", or what is not allowed: "!password,!md5". An empty list allows all.
// Error: Configuration.
[[nodiscard]] Result<AllowedAuthentication> parse_require_auth(std::string_view list);

// The method's name in require_auth: "password", "md5", "scram-sha-256".
[[nodiscard]] std::string_view authentication_name(int code);

}  // namespace athanor
