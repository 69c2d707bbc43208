// Finds the indexes whose definition matches a CREATE INDEX statement, as the server prints them.
//
// The server prints expressions, predicates and operator classes differently from the statement. So the statement's index is
// created on an empty temporary copy of the table, in a transaction that is rolled back, and the server's output for it is
// compared with the output for the existing indexes.
//
// Threads: the session's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/plan/statement.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Returns those of `candidates` (OIDs as an array, "{16400}") on `table` that match `what`. Empty when they cannot be compared,
// for example when the role may not create temporary tables. A lock timeout, a cancel and a lost connection are errors.
[[nodiscard]] Result<std::optional<std::vector<std::string>>> same_indexes(ReadSession& session, const RecoveryProbe& what,
                                                                           const std::string& table,
                                                                           const std::string& candidates);

}  // namespace athanor
