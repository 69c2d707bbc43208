// A row in every table of a scratch database that takes one: so that a proof meets data where the real database has data.
//
// Values are the simplest of their type, the same everywhere, so that most foreign keys hold. Where a constraint refuses
// them the table stays empty.
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

// The tables that have a row now, of those in `catalog`.
[[nodiscard]] Result<std::map<TableName, std::int64_t>> add_sample_rows(Session& session, const Catalog& catalog);
// Rows of these tables; those that are not there any more are left out.
[[nodiscard]] Result<std::map<TableName, std::int64_t>> count_rows(Session& session,
                                                                   const std::map<TableName, std::int64_t>& tables);

}  // namespace athanor::schema
