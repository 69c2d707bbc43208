// A rehearsal in few words: what it says of the plan, for a person, a status and a condition.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/rehearse/rehearsal.hpp"

namespace athanor {

// "ACCESS EXCLUSIVE" of "AccessExclusiveLock".
[[nodiscard]] std::string lock_mode_in_words(std::string_view mode);
// "ACCESS EXCLUSIVE on public.orders: line 7 of a2", the strongest lock of each relation, the strongest first. What every
// SELECT takes is left out.
[[nodiscard]] std::vector<std::string> strongest_locks(const Rehearsal& rehearsal);
// "public.orders: line 7 of a2".
[[nodiscard]] std::vector<std::string> rewritten(const Rehearsal& rehearsal);
// How long the statements took on the copy.
[[nodiscard]] milliseconds duration_of(const Rehearsal& rehearsal);
// ProofFailed with what did not work; empty: the rehearsal passed. `copy`: what it ran on ("a copy of the schema").
[[nodiscard]] std::optional<Error> failure_of(const Rehearsal& rehearsal, const std::string& copy);
// Of one that passed: "up, down and up again: the schema is the same each time".
[[nodiscard]] std::string success_of(const Rehearsal& rehearsal);

}  // namespace athanor
