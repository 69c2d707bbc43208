// What an interrupted autocommit statement left in the catalog, and what to do about it.
//
// Threads: the session's.
#pragma once

#include <cstdint>
#include <string>

#include "migrations/plan/statement.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

enum class ProbeState : std::uint8_t {
  Absent,   // the object is not there
  Valid,    // it is there and usable
  Invalid,  // it is there, half-built: an INVALID index, a pending detach
  Unknown,  // the catalog cannot tell
};
[[nodiscard]] std::string probe_state_name(ProbeState state);  // "absent", "valid", "invalid", "unknown"

// Asks the catalog for the object of `what`. Unknown without a question when the kind of statement leaves nothing to ask for.
[[nodiscard]] Result<ProbeState> probe(ReadSession& session, const RecoveryProbe& what);

// Drops INVALID indexes that the statement left, concurrently. Does nothing for other kinds of statements.
[[nodiscard]] Result<void> clear_half_built(Session& session, const RecoveryProbe& what);

// What to do with a statement whose intent was recorded and whose outcome is unknown.
enum class Verdict : std::uint8_t { Done, RunAgain, AskHuman };
// `state_before` is the name of the state that was recorded with the intent.
[[nodiscard]] Verdict judge(const RecoveryProbe& what, const std::string& state_before, ProbeState state_now);

}  // namespace athanor
