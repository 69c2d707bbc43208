// The version table: Alembic's own, so that a database can move between the two tools at any time.
//
// Every change of a row is also a guard: it fails with division by zero unless it changed exactly one row. In a pipeline this
// stops a transaction whose predecessor did not commit.
//
// Threads: immutable after construction.
#pragma once

#include <string>
#include <vector>

#include "migrations/plan/plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class VersionTable {
 public:
  // Names as configured, unquoted; an empty schema leaves the choice to search_path.
  VersionTable(const std::string& schema, const std::string& table, bool primary_key);

  // From here on the table of this schema is meant, whatever search_path says. Unquoted.
  void set_schema(const std::string& schema);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& qualified() const { return name_; }
  [[nodiscard]] std::string create_statement() const;
  [[nodiscard]] std::string select_statement() const;
  // An SQL condition: the table holds exactly the revisions of the text[] literal that `parameter` ("$1") stands for.
  [[nodiscard]] std::string holds(std::string_view parameter) const;
  // Deletes every row.
  [[nodiscard]] Command purge() const;
  // Fails with kGuardFailed unless the table holds exactly these revisions.
  [[nodiscard]] Command expect(const std::vector<std::string>& heads) const;
  // The row operations of one step behind their guard. `before` are the heads the step starts from.
  [[nodiscard]] std::vector<Command> apply(const WalkStep& step, const std::vector<std::string>& before) const;

  // SQLSTATE of a guard that failed: division by zero.
  static constexpr std::string_view kGuardFailed = "22012";

 private:
  [[nodiscard]] Command change(const RowOperation& operation) const;
  std::string table_;  // unquoted
  bool primary_key_;
  std::string name_;
};

// {"a","b"}: a text[] literal.
[[nodiscard]] std::string array_literal(const std::vector<std::string>& items);

}  // namespace athanor
