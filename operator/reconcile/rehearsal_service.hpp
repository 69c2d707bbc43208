// Rehearsals as the reconciler sees them: run a plan on a scratch copy of the database, and say how it went.
//
// Threads: safe from any thread. Ownership: borrows nothing beyond the call.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {

struct RehearsalRequest {
  const DatabaseMigration& resource;
  const DatabaseTarget& target;
  const Plan& plan;
  const ScratchTarget& scratch;  // without a URL: the server programs of this machine
  // Whether nobody wants the result any more, asked every few hundred milliseconds; may be empty. The running statement is then
  // cancelled, and the error is Interrupted.
  std::function<bool()> unwanted{};
};

// How a plan went on the copy. It was rehearsed either way.
struct RehearsalResult {
  RehearsalStatus status;        // without the plan's hash
  std::optional<Error> failure;  // why the plan must not run; empty: the rehearsal passed
};

class RehearsalService {
 public:
  virtual ~RehearsalService() = default;
  // Errors: the plan could not be rehearsed. ScratchUnavailable, BackupNotFound, or what a server said.
  [[nodiscard]] virtual Result<RehearsalResult> rehearse(const RehearsalRequest& request, const StopToken& stop) = 0;
};

}  // namespace athanor::controller
