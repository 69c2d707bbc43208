// The ledger's step table: how far a revision of several transactions has come.
//
// Rows appear with the first step of such a revision and go in the transaction that completes it, so a row left behind means
// that the revision is half applied. The table is created for the first such revision; most databases never have it.
//
// The state of a row: `intent`, an autocommit statement is about to be sent; `done`, that statement took effect; `running`, a
// batch step has reached its cursor; `complete`, the whole step is done.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "migrations/session/session.hpp"

namespace athanor {

// One row's key.
struct StepKey {
  std::string_view revision;
  std::string_view direction;
  std::size_t step = 0;       // index into the revision's steps
  std::size_t statement = 0;  // index into an autocommit step's statements; 0 for other steps
};

struct StepState {
  std::string_view state;  // intent, done, complete
  std::string_view before =
      {};                     // autocommit: what the catalog said before the statement was sent; empty keeps what is recorded
  std::string_view checksum;  // of the text up to here (part_checksums.hpp)
  std::string_view run_id;
};

struct BatchCursor {
  std::string_view cursor;  // last key done, as text
  std::int64_t rows = 0;    // rows done before this batch, for progress only
  std::string_view checksum;
  std::string_view run_id;
};

class StepTable {
 public:
  // `ledger_schema` unquoted.
  explicit StepTable(const std::string& ledger_schema);

  // Rows of this version table only, from here on (Ledger::set_version_table).
  void set_version_table(const std::string& version_table);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string create_statement() const;

  // Inserts or updates the row of `key`.
  [[nodiscard]] Command record_state(const StepKey& key, const StepState& state) const;
  // Inserts or updates a batch step's row, with state `running`. Sent in the batch's own transaction.
  [[nodiscard]] Command record_cursor(const StepKey& key, const BatchCursor& batch) const;
  [[nodiscard]] Command forget(const StepKey& key) const;
  // Deletes every row of the revision, in both directions.
  [[nodiscard]] Command forget_revision(std::string_view revision) const;
  // All rows, in the order in which the steps run: the last one is where the revision stopped.
  [[nodiscard]] std::string select_statement() const;

 private:
  std::string name_;
  std::string version_table_;
  std::string ours_ = "true";  // the condition that keeps other version tables' rows out
};

}  // namespace athanor
