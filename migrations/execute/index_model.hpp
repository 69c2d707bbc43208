// Which indexes have the definition that a CREATE INDEX asks for, in the server's own words.
//
// The server writes an expression, a predicate or an operator class otherwise than the statement does. So the statement's
// index is made on an empty temporary copy of the table, in a transaction that is rolled back, and what the server prints of it
// is compared with what it prints of the others.
//
// Threads: the session's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/plan/statement.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Of the indexes `candidates` (OIDs as an array, "{16400}") on `table` those that are as `what` says. Nothing when they cannot
// be compared, as by a role that may not make temporary tables. A lock that is not to be had, a stop and a lost connection are
// errors.
[[nodiscard]] Result<std::optional<std::vector<std::string>>> same_indexes(ReadSession& session, const RecoveryProbe& what,
                                                                           const std::string& table,
                                                                           const std::string& candidates);

}  // namespace athanor
