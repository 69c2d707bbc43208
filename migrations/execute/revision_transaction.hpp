// A transaction of a revision and what each of its commands belongs to, so that a failure can be explained.
//
// Threads: plain values. Ownership: points into the plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "migrations/execute/run_context.hpp"

namespace athanor {

struct CommandOrigin {
  enum class Part : std::uint8_t {
    Before,     // bookkeeping ahead of the revision's statements
    Statement,  // of the revision
    TextGuard,  // asks whether `statement` would be read as it is written
    Commit,     // runs what the revision deferred to COMMIT, or is COMMIT
    After       // bookkeeping behind the revision's statements
  };
  std::size_t revision = 0;  // index into the plan
  Part part = Part::Before;
  const SqlStatement* statement = nullptr;
};

struct RevisionTransaction {
  Transaction transaction;
  std::vector<CommandOrigin> origins;  // of the transaction's commands
  std::size_t bytes = 0;

  void add(std::size_t revision, Command command, CommandOrigin::Part part, const SqlStatement* statement = nullptr);
  void add_all(std::size_t revision, const std::vector<Command>& commands, CommandOrigin::Part part);
  // The statements of one step. `fresh`: nothing of the revision has run in this session.
  void add_statements(std::size_t revision, const ScriptStep& step, bool fresh);
  // session_reset(): the revision ends here.
  void add_reset(std::size_t revision);
  // session_defaults_for_transaction(): the revision goes on in another transaction.
  void add_defaults(std::size_t revision);

  // Where command `index` came from; COMMIT for an index behind the last one.
  [[nodiscard]] CommandOrigin origin_of(std::size_t index) const;
};

// What an error of a command of this origin means to whoever runs the plan.
[[nodiscard]] Error explain_failure(const RunContext& run, const CommandOrigin& origin, Error error);

}  // namespace athanor
