// The guard around a revision checks what must be true before its first statement, and again before its COMMIT.
//
// A revision runs with the migrator's rights and can change anything, including the session and our own tables. So its
// transaction begins by taking a transaction-level advisory lock, which no statement can release, and ends by checking what we
// rely on: the version rows are as we wrote them, the version table and the ledger are unchanged, and we still hold the
// migration lock. If a check fails, the transaction rolls back.
//
// The transaction's locks show whether the revision wrote to the ledger: every write takes a lock and none is released before
// the end. The session's statistics would not do, because track_counts can be off. Autocommit statements have
// released their locks, so there the ledger is compared with its earlier content (print()).
//
// Each condition fails with its own SQLSTATE, so that one statement can check all of them.
//
// Threads: plain values. Ownership: borrows the version table and the ledger.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/execute/ledger.hpp"
#include "migrations/execute/own_tables.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class RevisionGuard {
 public:
  RevisionGuard(const VersionTable& versions, const Ledger& ledger, OwnTables tables)
      : versions_(&versions), ledger_(&ledger), tables_(std::move(tables)) {}

  // The first command of a revision's transaction: excludes other migrators until its end, and requires that an earlier
  // revision left no prepared statement. Fails with kLockLost or kSessionDirty.
  [[nodiscard]] Command before() const;
  // Like before(), but without the check of prepared statements: for a transaction in the middle of a revision.
  [[nodiscard]] static Command lock();
  // Send before the first query of a transaction: an earlier step may have set default_transaction_read_only.
  [[nodiscard]] static Command read_write();
  // Send before a statement whose meaning depends on client_encoding or standard_conforming_strings, which the revision may
  // have changed. Fails with kTextMisread.
  [[nodiscard]] static Command before_text();
  // Whether `sql` contains characters whose meaning those two settings can change.
  [[nodiscard]] static bool needs_text_guard(std::string_view sql);
  // Send after session_reset(). Requires that the version table contains `heads`; also releases advisory locks that the
  // revision left. The transaction must not have written to the ledger yet, not even our own row. Fails with kRowsChanged,
  // kTablesChanged or kLockLost. With DoubtOnly a harmless change (another owner of which the migrator is a member, a wider
  // version_num) also fails with kTablesChanged: repeat with Full before blaming the revision.
  [[nodiscard]] std::vector<Command> after(const std::vector<std::string>& heads, Scrutiny scrutiny = Scrutiny::Full) const;
  // The scrutiny of the first attempt: DoubtOnly when the tables were beyond doubt at the start.
  [[nodiscard]] Scrutiny first_scrutiny() const { return tables_.beyond_doubt ? Scrutiny::DoubtOnly : Scrutiny::Full; }
  // Returns a fingerprint of the ledger's rows and of the constraints and unique indexes on our tables. Both tables of the
  // ledger must exist.
  [[nodiscard]] Command print() const;
  // Fails with kTablesChanged unless print() would return `print` again.
  [[nodiscard]] Command require_print(const std::string& print) const;

  // Explains the failure of a guard or of bookkeeping after a revision's statements. Empty when neither the revision nor our
  // tables are to blame (a lock timeout, a cancel).
  [[nodiscard]] std::optional<Error> explain(const Error& error, const std::string& revision) const;
  // UntrustedTable when a constraint or column that Athanor did not create refused one of our rows; empty otherwise.
  [[nodiscard]] std::optional<Error> row_refused(const Error& error) const;

  static constexpr std::string_view kSessionDirty = "22011";
  static constexpr std::string_view kTextMisread = "22008";
  static constexpr std::string_view kRowsChanged = "2201F";
  static constexpr std::string_view kTablesChanged = "2201E";
  static constexpr std::string_view kLockLost = "2201G";

 private:
  // An oid[] literal.
  [[nodiscard]] std::string all_oids() const;

  const VersionTable* versions_;
  const Ledger* ledger_;
  OwnTables tables_;
};

}  // namespace athanor
