// The ledger's step table: the progress of a revision that needs several transactions.
//
// Rows appear with the first step of such a revision and are deleted in the transaction that completes it, so a remaining row
// means that the revision is half-applied. The table is created for the first such revision; most databases never have it.
//
// States of a row: `intent`, an autocommit statement is about to be sent; `done`, that statement took effect; `running`, a
// batch step has reached its cursor and will end at its bound; `complete`, the whole step is done.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  std::string_view state;        // intent, done, complete
  std::string_view before = {};  // autocommit: the catalog before the statement was sent; empty keeps the recorded value
  std::string_view checksum;     // of the text up to here (part_checksums.hpp)
  std::string_view run_id;
};

// The contents of a batch step's row.
struct BatchProgress {
  std::optional<std::string> cursor;  // last key done, as text; empty before the first batch
  std::optional<std::string> bound;   // last key of the walk, read when the step began; empty: the table had no rows
  std::int64_t rows = 0;              // rows done before the batch that wrote the row; shown as progress only
};

class StepTable {
 public:
  // `ledger_schema` is unquoted.
  explicit StepTable(const std::string& ledger_schema);

  // From here on, restricts reads and writes to rows of this version table (see Ledger::set_version_table).
  void set_version_table(const std::string& version_table);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& name() const { return name_; }
  // CREATE TABLE IF NOT EXISTS.
  [[nodiscard]] std::string create_statement() const;

  // Inserts or updates the row of `key`.
  [[nodiscard]] Command record_state(const StepKey& key, const StepState& state) const;

  // Reads no row. Fails with 42703 when a column is missing that every version has had: then the table is not ours.
  [[nodiscard]] std::string recognise_statement() const;
  // Adds the columns that the table of version 0.1.0 lacks.
  [[nodiscard]] std::string upgrade_statement() const;
  // Stores in the row of `key` what keep_session() read earlier in this transaction.
  [[nodiscard]] Command record_session(const StepKey& key) const;
  // Send first in a transaction that records a step: reads the session's settings and role for the row. No statement of the
  // revision may have run in that transaction, because its SET LOCAL values would be recorded as the session's. `custom` are
  // the names of the revision's own settings, which the server does not list.
  [[nodiscard]] static Command keep_session(const std::vector<std::string>& custom);
  // Restores the settings stored in the rows of this revision. The session must be fresh.
  [[nodiscard]] Command restore_session(std::string_view revision, std::string_view direction) const;
  // Returns a batch step's row: cursor, bound, rows, run_id, state.
  [[nodiscard]] Command select_batch(const StepKey& key) const;
  // Inserts the row of a batch step, with state `running`. Fails if the row exists.
  [[nodiscard]] Command begin_batches(const StepKey& key, const BatchProgress& progress, std::string_view checksum,
                                      std::string_view run_id) const;
  // Assigns the row of an interrupted batch step to this run. Fails with division by zero unless its cursor and run are still
  // those of `seen` and `seen_run`.
  [[nodiscard]] Command take_over_batches(const StepKey& key, const BatchProgress& seen, std::string_view seen_run,
                                          std::string_view run_id) const;
  // Moves the cursor from `from` to `to`, in the batch's own transaction. Fails with division by zero, which rolls back the
  // batch, when another run has changed the row.
  [[nodiscard]] Command advance(const StepKey& key, const std::optional<std::string>& from, const std::string& to,
                                std::int64_t rows, std::string_view run_id) const;
  // Marks the batch step complete; fails like advance().
  [[nodiscard]] Command complete_batches(const StepKey& key, const std::optional<std::string>& from,
                                         std::string_view run_id) const;
  // Deletes the row of `key`.
  [[nodiscard]] Command forget(const StepKey& key) const;
  // Deletes all rows of the revision, in both directions.
  [[nodiscard]] Command forget_revision(std::string_view revision) const;
  // All rows in execution order: the last one is where the revision stopped.
  [[nodiscard]] std::string select_statement() const;

 private:
  // Updates the one row that is at cursor `from` and belongs to this run, or fails with division by zero. $1 to $4 are the key,
  // $5 the cursor and $6 the run.
  [[nodiscard]] std::string guarded(const std::string& assignments) const;

  std::string name_;
  std::string version_table_;
  std::string ours_ = "true";  // the condition that excludes rows of other version tables
};

}  // namespace athanor
