// The ledger's history: who applied which revision, when, from which text, with which outcome.
//
// The table only grows. One row per revision and run is written in the revision's own transaction, so a row exists exactly when
// the revision's change was committed; failures are recorded afterwards, in a transaction of their own.
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

// The tool's name and version as the ledger records it: "athanor 0.1.0".
[[nodiscard]] std::string_view tool_name();

class HistoryTable {
 public:
  // `ledger_schema` unquoted.
  explicit HistoryTable(const std::string& ledger_schema);

  // Rows of this version table only, from here on (Ledger::set_version_table).
  void set_version_table(const std::string& version_table);

  // Quoted, with its schema.
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string create_statement() const;
  // How many columns that makes (pg_class.relnatts). Tables of earlier versions have fewer.
  static constexpr int kColumns = 19;
  // Reads no row. Fails with 42703 when a column is missing that every version has had: then the table is not ours.
  [[nodiscard]] std::string recognise_statement() const;
  // Adds what earlier versions did not have.
  [[nodiscard]] std::string upgrade_statement() const;

  // Where an applied revision stands among the others, and its text: what is needed to know it without its file.
  struct Lineage {
    const std::vector<std::string>* parents = nullptr;
    const std::vector<std::string>* depends_on = nullptr;  // as written: ids or labels
    const std::vector<std::string>* labels = nullptr;
    std::string_view text{};  // the whole file; empty: not kept
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
    const Error* failure = nullptr;             // why it failed; only with a duration
    std::optional<Lineage> lineage = {};        // of an applied revision
    std::string_view note = {};                 // of a takeover: where the history came from
  };
  // Inserts a row. Its answer is the id of the transaction it is part of, which pg_xact_status() understands should the
  // connection be lost at COMMIT.
  [[nodiscard]] Command record(const Entry& entry) const;

  // The latest row of every revision, failures left out: revision, checksum, time, actor, tool, direction.
  [[nodiscard]] std::string select_applied() const;
  // The same rows with no more than comparing needs: revision, checksum, direction.
  [[nodiscard]] std::string select_checksums() const;
  // The lineage of every revision as it was last applied: revision, parents, depends_on and labels with a line feed between
  // them, text in hexadecimal digits, time, actor, checksum. Parents are NULL when an earlier version of Athanor applied it.
  [[nodiscard]] std::string select_lineage() const;
  // Revisions that a run applied, in order.
  [[nodiscard]] Command select_run(std::string_view run_id) const;
  // The newest `limit` rows, failures included.
  [[nodiscard]] std::string select_newest(std::size_t limit) const;
  // Direction and age in milliseconds of the last upgrade or downgrade that took effect.
  [[nodiscard]] std::string select_last_change() const;
  // Revision and direction of the last change that took effect.
  [[nodiscard]] std::string select_last_applied() const;

 private:
  [[nodiscard]] std::string latest_of_each() const;

  std::string name_;
  std::string version_table_;
  std::string ours_ = "true";  // the condition that keeps other version tables' rows out
};

}  // namespace athanor
