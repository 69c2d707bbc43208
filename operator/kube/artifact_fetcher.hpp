// Downloads one file over HTTP as a stream: the artifact of a Flux source.
//
// Threads: safe from any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::controller {

class ArtifactFetcher {
 public:
  virtual ~ArtifactFetcher() = default;
  // Receives the next bytes of the body. Returning an error ends the transfer.
  using BytesHandler = std::function<Result<void>(std::string_view bytes)>;
  // Sends a GET without credentials. Redirects are not followed and link-local addresses are refused. Blocks, and calls
  // `on_bytes` from the calling thread. Errors: Io (retryable) for any status other than 200 and when the body is incomplete at
  // the deadline; Interrupted on a stop; the handler's own error. On an error, discard the bytes delivered so far.
  [[nodiscard]] virtual Result<void> fetch(const std::string& url, milliseconds deadline, const BytesHandler& on_bytes,
                                           const StopToken& stop) = 0;
};

}  // namespace athanor::controller
