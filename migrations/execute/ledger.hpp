// The ledger: Athanor's own record in the database of what was applied (history) and of what is half applied (steps).
//
// Both tables live in one schema, `athanor` unless configured. A database may hold several version tables whose revisions share
// names, so every ledger row names the version table it belongs to.
//
// Nothing here talks to the server: the classes build SQL, and the executor sends it, mostly inside the transaction of the
// revision that the row is about.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <string>

#include "migrations/execute/history_table.hpp"
#include "migrations/execute/step_table.hpp"

namespace athanor {

class Ledger {
 public:
  // `schema` as configured, unquoted.
  explicit Ledger(const std::string& schema);

  // From here on only rows of this version table are read and written. `version_table` is "schema.table" as the server resolved
  // it. Call it after the database has been observed and before history() or steps() is used; until then queries see the rows
  // of every version table.
  void set_version_table(const std::string& version_table);

  [[nodiscard]] std::string create_schema() const;
  [[nodiscard]] const HistoryTable& history() const { return history_; }
  [[nodiscard]] const StepTable& steps() const { return steps_; }

 private:
  std::string schema_;  // quoted
  HistoryTable history_;
  StepTable steps_;
};

}  // namespace athanor
