// Follows what a server sends until it has authenticated the client, and refuses methods that are not allowed.
//
// Whoever stands between libpq and the server passes a message on only after judge() accepted it, so libpq never answers a
// request that is not allowed. Each message is judged: a server may request one method after another.
//
// Threads: plain value.
#pragma once

#include <cstddef>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/text/allowed_authentication.hpp"

namespace athanor {

class AuthenticationExchange {
 public:
  explicit AuthenticationExchange(const AllowedAuthentication& allowed) : allowed_(allowed) {}

  // `bytes` begins with a message. Returns the length up to which they may be passed on; if that is more than `bytes` has, call
  // again with as many. Errors: AuthenticationFailed for a method that is not allowed; DatabaseUnreachable for a message that
  // libpq would not read either.
  [[nodiscard]] Result<std::size_t> judge(std::string_view bytes);
  // Whether the last message ended the exchange: the client is authenticated, or libpq gives up. No password follows.
  [[nodiscard]] bool is_over() const { return over_; }

 private:
  AllowedAuthentication allowed_;
  bool asked_ = false;  // a request was accepted
  bool over_ = false;
};

}  // namespace athanor
