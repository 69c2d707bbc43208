// The version table: the same table that Alembic uses, so that a database can move between the two tools at any time.
//
// Every update or delete is also a guard: it fails with division by zero unless it changed exactly one row. In a pipeline this
// stops a transaction whose predecessor did not commit.
//
// Threads: immutable after construction, except for set_schema().
#pragma once

#include <string>
#include <vector>

#include "migrations/plan/plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class VersionTable {
 public:
  // Names as configured, unquoted; an empty schema means that search_path decides.
  VersionTable(const std::string& schema, const std::string& table, bool primary_key);

  // Fixes the schema, so that search_path no longer matters. Unquoted.
  void set_schema(const std::string& schema);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& qualified() const { return name_; }
  // CREATE TABLE IF NOT EXISTS, exactly as Alembic creates it.
  [[nodiscard]] std::string create_statement() const;
  // Returns the rows as text, unsorted.
  [[nodiscard]] std::string select_statement() const;
  // An SQL condition: the table contains exactly the revisions in the text[] parameter `parameter` ("$1").
  [[nodiscard]] std::string holds(std::string_view parameter) const;
  // Deletes every row.
  [[nodiscard]] Command purge() const;
  // Fails with kGuardFailed unless the table contains exactly these revisions.
  [[nodiscard]] Command expect(const std::vector<std::string>& heads) const;
  // The row operations of one step, after their guard. `before` are the heads that the step starts from.
  [[nodiscard]] std::vector<Command> apply(const WalkStep& step, const std::vector<std::string>& before) const;

  // The SQLSTATE of a failed guard: division by zero.
  static constexpr std::string_view kGuardFailed = "22012";

 private:
  [[nodiscard]] Command change(const RowOperation& operation) const;
  std::string table_;  // unquoted
  bool primary_key_;
  std::string name_;
};

// A text[] literal: {"a","b"}.
[[nodiscard]] std::string array_literal(const std::vector<std::string>& items);

}  // namespace athanor
