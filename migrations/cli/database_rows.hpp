// The rows of a scratch database as SQL that inserts them, and as text to compare.
//
// What revisions insert belongs to a baseline as much as what they create: countries, roles, settings. Version table and ledger
// are left out. A table's rows are one INSERT, tables that others reference first.
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
  // "table shop.users", "sequence shop.users_id_seq": the rows in an order of their own, the last value. Tables without rows
  // and sequences that nobody used are left out.
  std::map<std::string, std::string> contents;
  std::string sql;  // INSERT, setval() and REFRESH that make them; empty when there are none
  std::size_t tables = 0;
};

// `version_table` in the schema public, `ledger_schema`: not part of it.
[[nodiscard]] Result<DatabaseRows> read_database_rows(Session& session, const std::string& version_table,
                                                      const std::string& ledger_schema);

// The names whose contents differ.
[[nodiscard]] std::vector<std::string> different_contents(const DatabaseRows& one, const DatabaseRows& other);

}  // namespace athanor::cli
