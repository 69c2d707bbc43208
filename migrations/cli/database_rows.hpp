// Reads the rows of a scratch database as SQL that inserts them, and as text for comparison.
//
// Rows that revisions insert (countries, roles, settings) belong to a baseline as much as the objects they create. The version
// table and the ledger are excluded. Each table's rows are one INSERT; referenced tables come first.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/session/session.hpp"

namespace athanor::cli {

struct DatabaseRows {
  // By "table shop.users" or "sequence shop.users_id_seq": the rows in a canonical order, or the last value. Empty tables and
  // unused sequences are omitted.
  std::map<std::string, std::string> contents;
  std::string sql;  // the INSERT, setval() and REFRESH that recreate them; empty if there are none
  std::size_t tables = 0;
};

// Excludes `version_table` in the schema public, and `ledger_schema`.
[[nodiscard]] Result<DatabaseRows> read_database_rows(Session& session, const std::string& version_table,
                                                      const std::string& ledger_schema);

// By "table shop.users": its columns in order, as later revisions that insert without a list of columns see them. Without
// partitions and inheriting tables, whose inherited columns come first wherever they are created anew.
[[nodiscard]] Result<std::map<std::string, std::string>> read_column_orders(Session& session);

// The names whose contents differ.
[[nodiscard]] std::vector<std::string> different_contents(const DatabaseRows& one, const DatabaseRows& other);

}  // namespace athanor::cli
