// The ledger: Athanor's own record, in the database, of what was applied (history) and what is half-applied (steps).
//
// Both tables are in one schema, `athanor` by default. A database may have several version tables with the same revision names,
// so each ledger row names its version table.
//
// These classes only build SQL. The executor sends it, mostly inside the transaction of the revision that the row describes.
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

  // From here on, only rows of this version table are read and written. `version_table` is "schema.table" as the server
  // resolved it. Call this after observing the database and before using history() or steps(); until then queries see the rows
  // of every version table.
  void set_version_table(const std::string& version_table);

  [[nodiscard]] std::string create_schema() const;
  [[nodiscard]] const HistoryTable& history() const { return history_; }
  [[nodiscard]] const StepTable& steps() const { return steps_; }
  // The table that drift is found with, quoted. Made and read elsewhere (migrations/drift); here it is only kept from
  // revisions.
  [[nodiscard]] const std::string& catalog() const { return catalog_; }

 private:
  std::string schema_;  // quoted
  std::string catalog_;
  HistoryTable history_;
  StepTable steps_;
};

}  // namespace athanor
