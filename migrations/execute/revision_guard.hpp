// The guard around a revision: what has to be true before its first statement, and still true before its COMMIT is trusted.
//
// A revision runs with the migrator's rights and may do anything, to the session and to our own tables. So it begins under a
// lock of its own transaction, which no statement can release, and ends with a look at what we rely on: the version rows as we
// wrote them, version table and ledger where and what they were, the migration lock still ours. A guard that fails rolls the
// transaction back.
//
// That the revision wrote nothing into the ledger is known from the locks of its transaction: nothing is written without one,
// and none is released before the end. Statistics of the session would not do, because track_counts switches them off. What ran
// outside of a transaction has released its locks; there the ledger is compared with what it was (print()).
//
// Every condition has an SQLSTATE of its own, so that one statement can ask for all of them.
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

  // The first command of a revision's transaction: nobody else migrates until its end, and nothing that an earlier revision
  // prepared is left. Fails with kLockLost or kSessionDirty.
  [[nodiscard]] Command before() const;
  // The same without asking what is prepared: for a transaction in the middle of a revision.
  [[nodiscard]] static Command lock();
  // Sent ahead of the first query of a transaction: an earlier step may have set default_transaction_read_only.
  [[nodiscard]] static Command read_write();
  // Sent ahead of a statement whose meaning depends on client_encoding or standard_conforming_strings, which the revision may
  // have changed. Fails with kTextMisread.
  [[nodiscard]] static Command before_text();
  // Whether `sql` has characters that those two settings could change.
  [[nodiscard]] static bool needs_text_guard(std::string_view sql);
  // Sent after session_reset(): the version table must hold `heads`. Also releases the advisory locks that the revision left.
  // The transaction must not have written to the ledger yet, not even a row of ours. Fails with kRowsChanged, kTablesChanged or
  // kLockLost. With DoubtOnly a harmless change (another owner of whom the migrator is a member, a wider version_num) fails
  // with kTablesChanged too: then look with Full before the revision is blamed.
  [[nodiscard]] std::vector<Command> after(const std::vector<std::string>& heads, Scrutiny scrutiny = Scrutiny::Full) const;
  // How closely to look first: DoubtOnly when the tables were beyond doubt at the start.
  [[nodiscard]] Scrutiny first_scrutiny() const { return tables_.beyond_doubt ? Scrutiny::DoubtOnly : Scrutiny::Full; }
  // Answers with a text that tells the rows of the ledger from any others, and what constrains our tables. Reads both tables of
  // the ledger, which must be there.
  [[nodiscard]] Command print() const;
  // Fails with kTablesChanged unless print() answers the same as before.
  [[nodiscard]] Command require_print(const std::string& print) const;

  // What the failure of a guard or of the bookkeeping behind a revision's statements means; empty when neither the revision nor
  // our tables are to blame (a lock timeout, a cancel).
  [[nodiscard]] std::optional<Error> explain(const Error& error, const std::string& revision) const;
  // UntrustedTable when a row of ours was refused by a constraint or a column that we did not make; empty otherwise.
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
