// Reads the history table of another migration tool from a database.
//
// The table belongs to another tool and may belong to another role, so reading it must not run foreign code: it must be an
// ordinary table, never a view, and its columns must have built-in types. Stamping the database then verifies that the rows
// have not changed.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/execute/takeover.hpp"
#include "migrations/import/foreign_history.hpp"
#include "migrations/session/session.hpp"

namespace athanor::cli {

struct ForeignTable {
  std::string name;  // quoted, with its schema
  ForeignRows rows;
  Takeover takeover;  // checks that the rows are still the same, and keeps others from writing
};

// `wanted` is "schema.table" or "table" as typed; empty: the tool's default. Errors: UnknownDatabaseRevision if there is no
// such table, UntrustedTable if it is not the tool's.
[[nodiscard]] Result<ForeignTable> read_foreign_table(ReadSession& session, const ForeignFormat& format,
                                                      const std::string& wanted);

}  // namespace athanor::cli
