// Inserts one row into every table of a scratch database that accepts one, so that a proof runs on data.
//
// Values are the simplest of their type, and the same everywhere, so that most foreign keys are satisfied. A table whose
// constraints reject them stays empty.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "migrations/base/result.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

using TableName = std::pair<std::string, std::string>;  // schema, name

// Inserts the rows and returns the number of rows of each table of `catalog` that has any.
[[nodiscard]] Result<std::map<TableName, std::int64_t>> add_sample_rows(Session& session, const Catalog& catalog);
// Counts the rows of these tables; tables that no longer exist are omitted.
[[nodiscard]] Result<std::map<TableName, std::int64_t>> count_rows(Session& session,
                                                                   const std::map<TableName, std::int64_t>& tables);

}  // namespace athanor::schema
