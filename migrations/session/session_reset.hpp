// What ends a revision's hold on the session: everything SQL can leave behind in it goes back to what it was after connecting.
//
// A revision may set what it likes, by SET, by a function, by a trigger; none of that may reach the next revision or our own
// statements. Nothing is guessed from a statement's words: the whole reset is sent after every revision.
//
// Advisory locks are not part of it, because the migration lock is one: RevisionGuard releases the others. Prepared statements
// are dropped by Session::recover() alone, because ours are among them.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/session/session.hpp"

namespace athanor {

// The name under which one of our statements is prepared. No revision can know it: part of it is random and new in every
// process.
[[nodiscard]] std::string prepared_name(std::string_view statement);
// What every prepared_name() begins with.
[[nodiscard]] const std::string& prepared_name_prefix();

// To be sent in the revision's own transaction, as its last statements before the bookkeeping: deferred triggers run first and
// cursors are closed, so that nothing of the revision is left to run at COMMIT. A rollback undoes it.
[[nodiscard]] const std::vector<Command>& session_reset();

// Between two steps of one revision: the role and the settings of a fresh session until the end of the transaction. What the
// revision set comes back with COMMIT.
[[nodiscard]] const std::vector<Command>& session_defaults_for_transaction();

}  // namespace athanor
