// The guard around a revision: what has to be true before its first statement, and still true before its COMMIT is trusted.
//
// A revision runs with the migrator's rights and may do anything, to the session and to our own tables. So it begins under a
// lock of its own transaction, which no statement can release, and ends with a look at what we rely on: the version rows as we
// wrote them, version table and ledger where and what they were, the migration lock still ours. A guard that fails rolls the
// transaction back.
//
// Every condition has an SQLSTATE of its own, so that one statement can ask for all of them.
//
// Threads: plain values. Ownership: borrows the version table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/execute/own_tables.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

class RevisionGuard {
 public:
  RevisionGuard(const VersionTable& versions, OwnTables tables) : versions_(&versions), tables_(std::move(tables)) {}

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
  // Fails with kRowsChanged, kTablesChanged or kLockLost. With DoubtOnly a harmless change (another owner of whom the migrator
  // is a member) fails with kTablesChanged too: then look with Full before the revision is blamed.
  [[nodiscard]] std::vector<Command> after(const std::vector<std::string>& heads, Scrutiny scrutiny = Scrutiny::Full) const;
  // How closely to look first: DoubtOnly when the tables were beyond doubt at the start.
  [[nodiscard]] Scrutiny first_scrutiny() const { return tables_.beyond_doubt ? Scrutiny::DoubtOnly : Scrutiny::Full; }

  // What the failure of a guard or of the bookkeeping behind a revision's statements means; empty when the revision is not to
  // blame (a lock timeout, a cancel).
  [[nodiscard]] std::optional<Error> explain(const Error& error, const std::string& revision) const;

  static constexpr std::string_view kSessionDirty = "22011";
  static constexpr std::string_view kTextMisread = "22008";
  static constexpr std::string_view kRowsChanged = "2201F";
  static constexpr std::string_view kTablesChanged = "2201E";
  static constexpr std::string_view kLockLost = "2201G";

 private:
  const VersionTable* versions_;
  OwnTables tables_;
};

}  // namespace athanor
