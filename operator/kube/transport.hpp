// HTTP as the API client needs it: one request with one answer, and one answer that comes line by line for as long as it takes.
//
// A transport knows a server, its certificates and how to authenticate; it knows nothing of resources. Errors are about the
// way there and back (ApiUnreachable, Interrupted); an answer with any status code is an answer, and the client above
// judges it. Idle connections are kept and reused; a request that met a connection which the server had closed meanwhile is
// sent once more on a new one, because it cannot have been seen. Answers are read under a limit, so a broken server cannot
// fill our memory.
//
// Threads: safe from any thread, any number of requests at once. Secrets: tokens and certificates stay in here; no error, log
// line or metric shows a header.
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
  std::string path;  // "/api/v1/namespaces/shop/secrets/db?…", already escaped
  std::string body;
  std::string content_type = "application/json";
  std::string accept = "application/json";
  milliseconds deadline{30'000};  // for the whole answer; of a stream: for its head
  milliseconds idle{90'000};      // of a stream: the longest silence
  std::size_t max_body = std::size_t{64} << 20U;
  std::size_t max_line = std::size_t{8} << 20U;  // of a stream
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::optional<milliseconds> retry_after;  // header Retry-After, when it is a number of seconds
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  [[nodiscard]] virtual Result<HttpResponse> send(const HttpRequest& request, const StopToken& stop) = 0;

  // Told every complete line, without its end; false ends the stream.
  using LineHandler = std::function<bool(std::string_view line)>;
  // A status other than 2xx comes back with its body and no line is told. A stream that the server ended comes back with status
  // 200 and an empty body; one that broke off is ApiUnreachable, one that was stopped is Interrupted. What came before an
  // end in the middle of a line is not told.
  [[nodiscard]] virtual Result<HttpResponse> stream(const HttpRequest& request, const LineHandler& on_line,
                                                    const StopToken& stop) = 0;
  // "https://10.0.0.1:6443", for messages and metrics.
  [[nodiscard]] virtual std::string server() const = 0;
};

}  // namespace athanor::controller
