// The ledger's step table: how far a revision of several transactions has come.
//
// Rows appear with the first step of such a revision and go in the transaction that completes it, so a row left behind means
// that the revision is half applied. The table is created for the first such revision; most databases never have it.
//
// The state of a row: `intent`, an autocommit statement is about to be sent; `done`, that statement took effect; `running`, a
// batch step has reached its cursor, and ends at its bound; `complete`, the whole step is done.
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
  std::string_view state;  // intent, done, complete
  std::string_view before =
      {};                     // autocommit: what the catalog said before the statement was sent; empty keeps what is recorded
  std::string_view checksum;  // of the text up to here (part_checksums.hpp)
  std::string_view run_id;
};

// What a batch step's row holds.
struct BatchProgress {
  std::optional<std::string> cursor;  // last key done, as text; nothing before the first batch
  std::optional<std::string> bound;   // last key of the walk, read when the step began; nothing: the table had no rows
  std::int64_t rows = 0;              // rows done before the batch that wrote the row, for progress only
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

  // Reads no row. Fails with 42703 when a column is missing that every version has had: then the table is not ours.
  [[nodiscard]] std::string recognise_statement() const;
  // Adds the columns that the table of version 0.1.0 lacks. Changes nothing where they are.
  [[nodiscard]] std::string upgrade_statement() const;
  // What the revision has set so far is kept in the row of `key`; of the row that keep_session() filled in this transaction.
  [[nodiscard]] Command record_session(const StepKey& key) const;
  // To be sent first in a transaction that records a step: reads what the session has set, role included, for the row. Settings
  // of the transaction itself (SET LOCAL) would be taken for the session's, so nothing of the revision may run in it.
  // The server lists no settings of the revision's own making: `custom` are their names.
  [[nodiscard]] static Command keep_session(const std::vector<std::string>& custom);
  // Sets again what the rows of this revision say it had set. The session must be fresh.
  [[nodiscard]] Command restore_session(std::string_view revision, std::string_view direction) const;
  // A batch step's row: cursor, bound, rows, run_id, state.
  [[nodiscard]] Command select_batch(const StepKey& key) const;
  // Inserts the row of a batch step that begins, with state `running`. Fails when there is one.
  [[nodiscard]] Command begin_batches(const StepKey& key, const BatchProgress& progress, std::string_view checksum,
                                      std::string_view run_id) const;
  // Makes the row of an interrupted batch step this run's. Fails with division by zero when its cursor or its run is no longer
  // as `seen` and `seen_run` say.
  [[nodiscard]] Command take_over_batches(const StepKey& key, const BatchProgress& seen, std::string_view seen_run,
                                          std::string_view run_id) const;
  // Moves the cursor from `from` to `to`, in the batch's own transaction. Fails with division by zero, and the batch with it,
  // when the row does not hold what this run wrote: another run moved it.
  [[nodiscard]] Command advance(const StepKey& key, const std::optional<std::string>& from, const std::string& to,
                                std::int64_t rows, std::string_view run_id) const;
  // The walk has ended; fails like advance().
  [[nodiscard]] Command complete_batches(const StepKey& key, const std::optional<std::string>& from,
                                         std::string_view run_id) const;
  [[nodiscard]] Command forget(const StepKey& key) const;
  // Deletes every row of the revision, in both directions.
  [[nodiscard]] Command forget_revision(std::string_view revision) const;
  // All rows, in the order in which the steps run: the last one is where the revision stopped.
  [[nodiscard]] std::string select_statement() const;

 private:
  // A change of the one row that is at `from` and belongs to the run, or division by zero. $1 to $4 are the key, $5 the cursor
  // and $6 the run.
  [[nodiscard]] std::string guarded(const std::string& assignments) const;

  std::string name_;
  std::string version_table_;
  std::string ours_ = "true";  // the condition that keeps other version tables' rows out
};

}  // namespace athanor
