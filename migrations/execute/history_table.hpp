// The ledger's history table: who applied which revision, when, from which text, and with what outcome.
//
// Append-only. The row of a revision is written in the revision's own transaction, so the row exists exactly when the change
// was committed. Failures are recorded afterwards in a separate transaction.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/error.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Name and version of the tool as the ledger records them: "athanor 0.1.0".
[[nodiscard]] std::string_view tool_name();

class HistoryTable {
 public:
  // `ledger_schema` is unquoted.
  explicit HistoryTable(const std::string& ledger_schema);

  // From here on, restricts reads and writes to rows of this version table (see Ledger::set_version_table).
  void set_version_table(const std::string& version_table);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& name() const { return name_; }
  // CREATE TABLE IF NOT EXISTS, with all kColumns columns.
  [[nodiscard]] std::string create_statement() const;
  // The number of columns of the current table (pg_class.relnatts). Tables of earlier versions have fewer.
  static constexpr int kColumns = 19;
  // Reads no row. Fails with 42703 when a column is missing that every version has had: then the table is not ours.
  [[nodiscard]] std::string recognise_statement() const;
  // Adds the columns that earlier versions did not have.
  [[nodiscard]] std::string upgrade_statement() const;

  // The relations of an applied revision and its text, so that it is known without its file.
  struct Lineage {
    const std::vector<std::string>* parents = nullptr;
    const std::vector<std::string>* depends_on = nullptr;  // as written in the file: ids or labels
    const std::vector<std::string>* labels = nullptr;
    std::string_view text{};  // the whole file; empty: not stored
  };
  struct Entry {
    std::string_view run_id;
    std::string_view revision;
    std::string_view direction;
    std::string_view outcome;   // applied, stamped, repaired, failed
    std::string_view checksum;  // empty: NULL
    std::string_view plan_hash;
    std::string_view actor;
    std::optional<milliseconds> duration = {};  // measured by the caller; unset: the time since the transaction began
    const Error* failure = nullptr;             // why it failed; requires a duration
    std::optional<Lineage> lineage = {};        // of an applied revision
    std::string_view note = {};                 // of a takeover: the tool that the history came from
  };
  // Inserts a row and returns the id of its transaction, for pg_xact_status() in case the connection is lost at COMMIT.
  [[nodiscard]] Command record(const Entry& entry) const;

  // The latest row of every revision, without failures: revision, checksum, time, actor, tool, direction.
  [[nodiscard]] std::string select_applied() const;
  // The same rows, only the columns for comparing checksums: revision, checksum, direction.
  [[nodiscard]] std::string select_checksums() const;
  // The lineage of every revision as last applied: revision; parents, depends_on and labels, each separated by line feeds; text
  // in hexadecimal; time; actor; checksum. Parents are NULL when an earlier version of Athanor applied it.
  [[nodiscard]] std::string select_lineage() const;
  // The revisions that a run changed, in order, without failures.
  [[nodiscard]] Command select_run(std::string_view run_id) const;
  // The newest `limit` rows, failures included.
  [[nodiscard]] std::string select_newest(std::size_t limit) const;
  // Direction of the last applied upgrade or downgrade, and the milliseconds since it ended.
  [[nodiscard]] std::string select_last_change() const;
  // Revision and direction of the last row that is neither a failure nor a repair.
  [[nodiscard]] std::string select_last_applied() const;

 private:
  [[nodiscard]] std::string latest_of_each() const;

  std::string name_;
  std::string version_table_;
  std::string ours_ = "true";  // the condition that excludes rows of other version tables
};

}  // namespace athanor
