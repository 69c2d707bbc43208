// The version table: Alembic's own, so that a database can move between the two tools at any time.
//
// Every change of a row is also a guard: it fails with division by zero unless it met exactly one row. In a pipeline this
// is what stops a transaction whose predecessor did not commit.
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
  VersionTable(const std::string& schema, const std::string& table, bool primary_key);

  [[nodiscard]] const std::string& qualified() const { return name_; }
  [[nodiscard]] std::string create_statement() const;
  [[nodiscard]] std::string select_statement() const;
  [[nodiscard]] Command purge() const;
  // Fails unless the table holds exactly these rows.
  [[nodiscard]] Command expect(const std::vector<std::string>& rows) const;
  // The commands of one step, guarded. `before` are the rows the step starts from; a lone update guards itself.
  [[nodiscard]] std::vector<Command> apply(const WalkStep& step, const std::vector<std::string>& before) const;

  // SQLSTATE of a guard that failed.
  static constexpr std::string_view kGuardFailed = "22012";

 private:
  [[nodiscard]] Command change(const RowOperation& operation) const;
  std::string name_;
  std::string create_;
};

}  // namespace athanor
