// The ledger: who applied which revision, when, from which text, with which outcome; and how far a revision of several steps
// has come.
//
// Two tables in their own schema. `history` only grows: one row per revision and run, written in the revision's own
// transaction. `step` holds the unfinished: rows appear with the first step of a multi-step revision and go in the transaction
// that completes it; the table is made for the first such revision, and most databases never have it. Every row belongs to one
// version table: a database may hold several, and their revisions may share names.
//
// Threads: one thread. Whose rows are meant is known once the database has been looked at.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/execute/migrator.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class Ledger {
 public:
  explicit Ledger(const std::string& schema);

  [[nodiscard]] const std::string& history_table() const { return history_; }
  [[nodiscard]] const std::string& step_table() const { return step_; }
  [[nodiscard]] std::string create_schema() const;
  [[nodiscard]] std::string create_history() const;
  [[nodiscard]] std::string create_step() const;
  // From here on the rows of this version table are read and written: "schema.table", as the server resolved it.
  void belong_to(const std::string& version_table);

  struct Entry {
    std::string_view run_id;
    std::string_view revision;
    std::string_view direction;
    std::string_view outcome;  // applied, stamped, repaired, failed
    std::string_view checksum;
    std::string_view plan_hash;
    std::string_view actor;
    std::optional<milliseconds> duration = {};  // measured by the caller; the transaction's own when unset
    const Error* failure = nullptr;             // why; only with a duration
  };
  // Answers the id of the transaction it is part of.
  [[nodiscard]] Command record(const Entry& entry) const;

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
  // The same, no more than comparing needs: revision, checksum, direction.
  [[nodiscard]] std::string select_checksums() const;
  [[nodiscard]] Command select_run(std::string_view run_id) const;
  [[nodiscard]] std::string select_history(std::size_t limit) const;

 private:
  [[nodiscard]] std::string last_words() const;

  std::string schema_;
  std::string history_;
  std::string step_;
  std::string version_table_;
  std::string ours_;  // the condition for our rows
};

// The tool's name and version as the ledger records it.
[[nodiscard]] std::string_view tool_name();

}  // namespace athanor
