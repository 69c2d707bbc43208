// The order of a new table's columns, which INSERT without a list of columns and COPY rely on.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <vector>

#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// New facts: the columns that the table declares itself, in order.
[[nodiscard]] std::vector<std::uint32_t> own_columns(const ChangeSet& changes, std::uint32_t table);

// Those that CREATE TABLE cannot contain, in the order in which ALTER TABLE must add them: from the first generated column on
// whose expression needs the table itself, such as a function of its row type. Mostly empty.
[[nodiscard]] std::vector<std::uint32_t> columns_added_later(const ChangeSet& changes, std::uint32_t table);

}  // namespace athanor::schema
