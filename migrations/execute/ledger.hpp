// The ledger: who applied which revision, when, from which text, with which outcome; and how far a revision of several steps
// has come.
//
// Two tables in their own schema. `history` only grows: one row per revision and run, written in the revision's own
// transaction. `step` holds the unfinished: rows appear with the first step of a multi-step revision and go in the transaction
// that completes it.
//
// Threads: immutable after construction.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "migrations/execute/session.hpp"

namespace athanor {

class Ledger {
 public:
  explicit Ledger(const std::string& schema);

  [[nodiscard]] const std::string& history_table() const { return history_; }
  [[nodiscard]] const std::string& step_table() const { return step_; }
  // CREATE SCHEMA (unless it is there) and the tables.
  [[nodiscard]] std::vector<std::string> create_statements(bool schema_exists) const;

  struct Entry {
    std::string_view run_id;
    std::string_view revision;
    std::string_view direction;
    std::string_view outcome;  // applied, stamped, repaired
    std::string_view checksum;
    std::string_view plan_hash;
    std::string_view actor;
  };
  // Duration is the transaction's own; answers the transaction's id.
  [[nodiscard]] Command record(const Entry& entry) const;
  // The same for a revision of several transactions, whose duration the caller measured.
  [[nodiscard]] Command record_measured(const Entry& entry, milliseconds duration) const;
  // A failure, after its transaction was rolled back.
  [[nodiscard]] Command record_failure(const Entry& entry, milliseconds duration, const Error& error) const;

  // Step bookkeeping.
  [[nodiscard]] Command step_state(std::string_view revision, std::string_view direction, std::size_t step,
                                   std::size_t statement, std::string_view state, std::string_view before,
                                   std::string_view checksum, std::string_view run_id) const;
  [[nodiscard]] Command step_cursor(std::string_view revision, std::string_view direction, std::size_t step,
                                    std::string_view cursor, std::int64_t rows, std::string_view checksum,
                                    std::string_view run_id) const;
  [[nodiscard]] Command forget_step(std::string_view revision, std::string_view direction, std::size_t step,
                                    std::size_t statement) const;
  [[nodiscard]] Command forget_steps(std::string_view revision) const;
  [[nodiscard]] std::string select_steps() const;

  // Queries.
  [[nodiscard]] std::string select_applied() const;
  [[nodiscard]] Command select_run(std::string_view run_id) const;
  [[nodiscard]] std::string select_history(std::size_t limit) const;

 private:
  std::string schema_;
  std::string history_;
  std::string step_;
};

// The tool's name and version as the ledger records it.
[[nodiscard]] std::string_view tool_name();

}  // namespace athanor
