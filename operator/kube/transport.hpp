// The HTTP interface of the API client: plain requests, and responses streamed line by line.
//
// A transport knows one server, its certificates and how to authenticate to it; it knows nothing about resources. A response
// with any status code counts as success; errors are about the connection. Idle connections are reused. A request that found
// its idle connection closed is resent, because the server cannot have seen it.
//
// Threads: safe from any thread, any number of requests at the same time. Secrets: no error, log line or metric contains a
// header.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::controller {

struct HttpRequest {
  std::string method = "GET";
  std::string path;  // with the query, percent-encoded: "/api/v1/namespaces/shop/secrets/db?…"
  std::string body;
  std::string content_type = "application/json";
  std::string accept = "application/json";
  milliseconds deadline{30'000};                  // for the whole response; in a stream, for its head
  milliseconds idle{90'000};                      // in a stream: the longest silence between two lines
  std::size_t max_body = std::size_t{64} << 20U;  // bytes; for a larger response see is_too_large()
  std::size_t max_line = std::size_t{8} << 20U;   // bytes, in a stream
};

// Plain value. `body` is the whole response; after stream() it is filled only when the status is not 2xx.
struct HttpResponse {
  int status = 0;
  std::string body;
  std::optional<milliseconds> retry_after;  // header Retry-After, when it is a number of seconds
};

// Whether a request failed because its response, or a line of a stream, was larger than the request allows. The same request
// would fail again.
[[nodiscard]] inline bool is_too_large(const Error& error) {
  return error.code == ErrorCode::ApiUnreachable && error.retry == RetryClass::Terminal;
}

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  // Blocks until the whole response has arrived. Errors: ApiUnreachable (also past the deadline and above max_body),
  // Interrupted when `stop` is requested, those of CredentialProvider.
  [[nodiscard]] virtual Result<HttpResponse> send(const HttpRequest& request, const StopToken& stop) = 0;

  // Receives each complete line, without its line end. Returning false ends the stream.
  using LineHandler = std::function<bool(std::string_view line)>;
  // Blocks and calls `on_line` from the calling thread. A response with a status other than 2xx is returned with its body and
  // without a call. When the server or the handler ended the stream, returns its status and an empty body. Errors:
  // ApiUnreachable when the connection broke, Interrupted when stopped. An incomplete last line is discarded.
  [[nodiscard]] virtual Result<HttpResponse> stream(const HttpRequest& request, const LineHandler& on_line,
                                                    const StopToken& stop) = 0;
  // "https://10.0.0.1:6443", for messages and metrics.
  [[nodiscard]] virtual std::string server() const = 0;
};

}  // namespace athanor::controller
