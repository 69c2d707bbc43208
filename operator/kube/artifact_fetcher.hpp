// One file over HTTP, piece by piece: how artifacts come from where a Flux source says they are.
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
  // An error ends the transfer and is returned.
  using BytesHandler = std::function<Result<void>(std::string_view bytes)>;
  // GET, no credentials, no redirect. Any answer but 200, and one that is not whole by the deadline, is an Io error that is
  // worth another try; what was told until then is void.
  [[nodiscard]] virtual Result<void> fetch(const std::string& url, milliseconds deadline, const BytesHandler& take,
                                           const StopToken& stop) = 0;
};

}  // namespace athanor::controller
