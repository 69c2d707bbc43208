// The statements that reset a session after a revision: everything that SQL can change in a session returns to its state after
// connecting.
//
// A revision may change settings with SET, in a function or in a trigger; none of that may affect the next revision or our own
// statements. The statements of the revision are not analysed: the whole reset follows every revision.
//
// Advisory locks are not included, because the migration lock is one: RevisionGuard releases the others. Only
// Session::recover() drops prepared statements, because ours are among them.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/session/session.hpp"

namespace athanor {

// The name of one of our prepared statements. A revision cannot guess it, because it contains random digits that differ in each
// process.
[[nodiscard]] std::string prepared_name(std::string_view statement);
// The prefix of every prepared_name().
[[nodiscard]] const std::string& prepared_name_prefix();

// Send in the revision's own transaction, after its statements and before the bookkeeping: runs deferred triggers first and
// closes cursors, so that no code of the revision is left to run at COMMIT. A rollback undoes it.
[[nodiscard]] const std::vector<Command>& session_reset();

// Send between two steps of one revision: role and settings of a fresh session until the end of the transaction. The revision's
// own return after COMMIT.
[[nodiscard]] const std::vector<Command>& session_defaults_for_transaction();

}  // namespace athanor
