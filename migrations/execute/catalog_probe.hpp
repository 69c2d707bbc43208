// Asks the catalog what an autocommit statement left behind, and clears what is half-built.
//
// Threads: the migrator's thread.
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

[[nodiscard]] Result<ProbeState> probe(ReadSession& session, const RecoveryProbe& what);

// Removes the half-built: drops INVALID indexes concurrently, finalises a pending detach.
[[nodiscard]] Result<void> clear_half_built(Session& session, const RecoveryProbe& what);

// What to do with a statement whose intent was written and whose end is unknown.
enum class Verdict : std::uint8_t { Done, RunAgain, AskHuman };
[[nodiscard]] Verdict judge(const RecoveryProbe& what, const std::string& state_before, ProbeState state_now);

}  // namespace athanor
