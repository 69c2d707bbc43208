// The outside world of the token sources: one POST to a provider over verified TLS.
//
// Threads: safe from any thread. Secrets: bodies and bearer tokens on both ways; an error contains neither.
#pragma once

#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::controller {

struct HttpsCall {
  std::string server;  // "https://sts.eu-central-1.amazonaws.com"
  std::string path = "/";
  std::string body;
  std::string content_type = "application/x-www-form-urlencoded";
  std::string bearer;  // for the header Authorization; empty: none
  milliseconds deadline{10'000};
};

struct HttpsAnswer {
  int status = 0;
  std::string body;  // limited by the implementation
};

class HttpsCaller {
 public:
  virtual ~HttpsCaller() = default;
  // An answer with any status counts as success. Redirects are not followed. Errors: ApiUnreachable with the server's name;
  // Interrupted on a stop.
  [[nodiscard]] virtual Result<HttpsAnswer> post(const HttpsCall& call, const StopToken& stop) = 0;
};

}  // namespace athanor::controller
