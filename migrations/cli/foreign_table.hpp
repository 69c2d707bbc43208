// The history table of another tool, as a database has it.
//
// It belongs to somebody else, so it is read with care: only an ordinary table whose columns have types of the server is, never
// a view, and what was read is proven unchanged when the database is stamped.
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
  Takeover takeover;  // that the rows are still these, and nobody writes to them
};

// `wanted` as typed, "schema.table" or "table"; empty: the tool's default. UnknownDatabaseRevision when there is none,
// UntrustedTable when it is not the tool's.
[[nodiscard]] Result<ForeignTable> read_foreign_table(ReadSession& session, const ForeignFormat& format,
                                                      const std::string& wanted);

}  // namespace athanor::cli
