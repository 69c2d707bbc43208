// A revision's transaction, with the origin of each command, so that a failure can be explained.
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
    Before,     // bookkeeping before the revision's statements
    Statement,  // a statement of the revision
    TextGuard,  // checks that the server would read `statement` as written
    Commit,     // runs what the revision deferred to COMMIT, or is COMMIT
    After       // bookkeeping after the revision's statements
  };
  std::size_t revision = 0;  // index into the plan
  Part part = Part::Before;
  const SqlStatement* statement = nullptr;
};

struct RevisionTransaction {
  Transaction transaction;
  std::vector<CommandOrigin> origins;  // one per command of the transaction
  std::size_t bytes = 0;

  // Adds a command of revision `revision` (index into the plan).
  void add(std::size_t revision, Command command, CommandOrigin::Part part, const SqlStatement* statement = nullptr);
  void add_all(std::size_t revision, const std::vector<Command>& commands, CommandOrigin::Part part);
  // Adds the statements of one step. `fresh`: no statement of the revision has run in this session.
  void add_statements(std::size_t revision, const ScriptStep& step, bool fresh);
  // Adds session_reset(): the revision ends here.
  void add_reset(std::size_t revision);
  // Adds session_defaults_for_transaction(): the revision continues in another transaction.
  void add_defaults(std::size_t revision);

  // The origin of command `index`; COMMIT for an index past the last command.
  [[nodiscard]] CommandOrigin origin_of(std::size_t index) const;
};

// Turns the error of a command of this origin into one that makes sense to the user.
[[nodiscard]] Error explain_failure(const RunContext& run, const CommandOrigin& origin, Error error);

}  // namespace athanor
