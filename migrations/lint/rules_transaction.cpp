// Rules about a statement's effect on others in its transaction, session or file.
#include <algorithm>
#include <array>

#include "migrations/lint/rules.hpp"
#include "migrations/plan/statement_shape.hpp"
#include "migrations/text/letter_case.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

// The strongest lock on a table older than the revision.
TableLock strongest_lock(const StatementCheck& check) {
  TableLock strongest;
  for (TableLock& lock : statement_locks(check.view(), check.facts())) {
    if (lock.mode > strongest.mode && !check.is_new(lock.table)) {
      strongest = std::move(lock);
    }
  }
  return strongest;
}

// Whether the statement reads or writes rows of older tables, which takes as long as they are large.
bool takes_long(const StatementCheck& check) {
  const StatementView& view = check.view();
  constexpr std::array<std::string_view, 5> kSlow{"UpdateStmt", "DeleteStmt", "IndexStmt", "RefreshMatViewStmt", "MergeStmt"};
  if (std::ranges::find(kSlow, view.kind()) != kSlow.end()) {
    return !check.is_new(view.relation());
  }
  if (view.is("SelectStmt")) {
    return static_cast<bool>(view.node()["fromClause"]);
  }
  if (view.is("InsertStmt")) {
    return static_cast<bool>(view.node()["selectStmt"]["SelectStmt"]["fromClause"]);
  }
  return std::ranges::any_of(view.actions(),
                             [&](const AlterAction& action) { return action.kind == "AT_ValidateConstraint"; }) &&
         !check.is_new(view.relation());
}

const QualifiedName* held_exclusively(const StatementCheck& check) {
  const auto& held = check.transaction().held_exclusively;
  return held ? &*held : nullptr;
}

// Statements that take long by design but do not block reads and writes. A timeout would not help anyone, and would leave an
// index of CREATE or DROP INDEX CONCURRENTLY INVALID.
bool runs_beside_traffic(const StatementView& view) {
  const TreeNode& node = view.node();
  if (view.is("IndexStmt") || view.is("DropStmt") || view.is("RefreshMatViewStmt")) {
    return is_set(node["concurrent"]);
  }
  if (view.is("ReindexStmt")) {
    return option_is_on(node["params"], "concurrently");
  }
  if (view.is("VacuumStmt")) {  // ANALYZE, too
    return !option_is_on(node["options"], "full");
  }
  return !view.actions().empty() && std::ranges::all_of(view.actions(), [](const AlterAction& action) {
    return action.kind == "AT_ValidateConstraint" ||
           (action.kind == "AT_DetachPartition" && is_set(action.node["def"]["PartitionCmd"]["concurrent"]));
  });
}

bool is_setting(const StatementCheck& check) {
  return check.view().is("VariableSetStmt");
}

}  // namespace

void work_after_ael(StatementCheck& check) {
  const QualifiedName* const held = check.in_transaction() ? held_exclusively(check) : nullptr;
  if (held == nullptr || check.transaction().work_reported) {
    return;
  }
  const TableLock lock = strongest_lock(check);
  const bool slow = takes_long(check);
  // Locks of two tables in one transaction: another transaction may take them in the other order.
  const bool second_table = lock.mode >= LockMode::ShareUpdateExclusive && lock.table != *held;
  if (!slow && !second_table) {
    return;
  }
  check.report({.table = *held,
                .message = slow ? "the statement runs while this transaction holds ACCESS EXCLUSIVE on " + held->sql() +
                                      ": reads and writes of it wait until it is done"
                                : "waiting for " + lock.table.sql() + " while holding ACCESS EXCLUSIVE on " + held->sql() +
                                      " blocks both, and two such transactions can deadlock",
                .fix = check.unit().plain ? "commit first, and run it in a transaction of its own"
                                          : "put '-- athanor:step transaction' on a line of its own above it",
                .severity = slow ? std::nullopt : std::optional(Severity::Info)});
}

void merge_alter_table(StatementCheck& check) {
  const StatementView& view = check.view();
  const auto before = check.transaction().altered.find(view.relation());
  const bool validates =
      std::ranges::any_of(view.actions(), [](const AlterAction& action) { return action.kind == "AT_ValidateConstraint"; });
  if (view.actions().empty() || validates || !check.in_transaction() || before == check.transaction().altered.end()) {
    return;
  }
  check.report({.table = view.relation(),
                .message = view.relation().sql() + " is altered a second time in one transaction (first on line " +
                           std::to_string(before->second) + "): each ALTER TABLE that scans or rewrites does so again",
                .fix = "combine the actions, separated by commas, in one ALTER TABLE " + view.relation().sql()});
}

void lock_timeout_missing(StatementCheck& check) {
  SessionFacts& session = check.session();
  const TableLock lock = strongest_lock(check);
  if (session.lock_timeout || lock.mode < LockMode::ShareUpdateExclusive || runs_beside_traffic(check.view()) ||
      session.lock_timeout_reported >= std::min(lock.mode, LockMode::Share)) {
    return;
  }
  // Report once per revision or file, and again only for a lock that blocks more.
  session.lock_timeout_reported = lock.mode;
  const bool blocks_rows = lock.mode >= LockMode::Share;
  check.report({.table = lock.table,
                .message = "without lock_timeout, " + std::string(blocked_by(lock.mode)) + " of " + lock.table.sql() +
                           " queue behind this statement while it waits for " + std::string(lock_name(lock.mode)),
                .fix = check.unit().plain ? "SET lock_timeout = '2s';" : "execution:\n  lock_timeout: 2s",
                .severity = blocks_rows ? std::nullopt : std::optional(Severity::Info)});
}

void statement_timeout_missing(StatementCheck& check) {
  SessionFacts& session = check.session();
  const TableLock lock = strongest_lock(check);
  if (session.statement_timeout || lock.mode < LockMode::ShareUpdateExclusive || runs_beside_traffic(check.view()) ||
      session.statement_timeout_reported) {
    return;
  }
  session.statement_timeout_reported = true;
  check.report({.table = lock.table,
                .message = "without statement_timeout, a statement that takes longer than expected holds " +
                           std::string(lock_name(lock.mode)) + " on " + lock.table.sql() + " that long",
                .fix = check.unit().plain
                           ? "SET statement_timeout = '1min';  -- and RESET it before anything that is built CONCURRENTLY"
                           : "execution:\n  statement_timeout: 1m"});
}

void session_state(StatementCheck& check) {
  const StatementView& view = check.view();
  if (view.is("DiscardStmt")) {
    check.report({.message =
                      "DISCARD ends prepared statements, temporary tables and, with ALL, the advisory lock that keeps other "
                      "migrations out",
                  .fix = "leave it out"});
    return;
  }
  if (!is_setting(check) || is_set(view.node()["is_local"])) {
    return;
  }
  const std::string name = lowered(view.node()["name"].text());
  if (name == "lock_timeout" || name == "statement_timeout" || name == "session_replication_role" ||
      view.node()["kind"].value() != "VAR_SET_VALUE") {
    return;
  }
  check.report({.message = check.unit().plain ? "SET " + name + " outlasts the file: later statements of the session keep it"
                                              : "SET " + name + " lasts to the end of the revision, in all its steps",
                .fix = "SET LOCAL " + name + " …;  -- to the end of the transaction",
                .severity = check.unit().plain ? std::nullopt : std::optional(Severity::Info)});
}

void lock_table(StatementCheck& check) {
  const TableLock lock = strongest_lock(check);
  if (!check.view().is("LockStmt") || lock.mode < LockMode::Share) {
    return;
  }
  check.report({.table = lock.table,
                .message = "LOCK TABLE holds " + std::string(lock_name(lock.mode)) + " on " + lock.table.sql() +
                           " to the end of the transaction: " + std::string(blocked_by(lock.mode)) + " wait",
                .fix = "lock rows with SELECT … FOR UPDATE, or keep migrations apart with an advisory lock"});
}

void identifier_63(StatementCheck& check) {
  const std::string_view sql = check.view().statement().sql;
  const StatementShape shape(sql);
  if (shape.long_identifier) {
    check.report({.message = "the name " + std::string(shape.long_identifier->text.substr(0, 24)) + "… has " +
                             std::to_string(shape.long_identifier->bytes) +
                             " bytes: PostgreSQL truncates it to 63 without an error",
                  .fix = "choose a name of at most 63 bytes"});
  }
}

namespace {

// What makes a second run of the statement fail; empty if nothing does, or if there is no IF EXISTS form.
std::string_view not_repeatable(const StatementView& view) {
  const TreeNode& node = view.node();
  if (view.creates_table()) {
    const bool for_transaction =
        node["relation"]["relpersistence"].value() == "t" && node["oncommit"].value() == "ONCOMMIT_DROP";
    return is_set(node["if_not_exists"]) || for_transaction ? "" : "CREATE TABLE IF NOT EXISTS";
  }
  if (view.is("IndexStmt")) {
    return is_set(node["if_not_exists"]) || !node["idxname"] ? "" : "CREATE INDEX IF NOT EXISTS";
  }
  if (view.is("DropStmt")) {
    return is_set(node["missing_ok"]) ? "" : "DROP … IF EXISTS";
  }
  return {};
}

std::string_view action_not_repeatable(const StatementCheck& check, const AlterAction& action) {
  const bool guarded = is_set(action.node["missing_ok"]);
  if (action.kind == "AT_AddColumn") {
    return guarded ? "" : "ADD COLUMN IF NOT EXISTS";
  }
  if (action.kind == "AT_DropColumn") {
    return guarded ? "" : "DROP COLUMN IF EXISTS";
  }
  if (action.kind == "AT_DropConstraint") {
    return guarded ? "" : "DROP CONSTRAINT IF EXISTS";
  }
  if (action.kind == "AT_AddConstraint") {
    const auto& dropped = check.session().dropped_if_exists;
    return dropped.contains(action.name) ? "" : "DROP CONSTRAINT IF EXISTS before it";
  }
  return action.kind == "AT_ValidateConstraint" ? "" : "a transaction";
}

}  // namespace

void robust_statement(StatementCheck& check) {
  if (!check.unit().plain || check.in_transaction() || check.unit().statements.size() < 2) {
    return;
  }
  std::string_view remedy = not_repeatable(check.view());
  for (const AlterAction& action : check.view().actions()) {
    remedy = remedy.empty() ? action_not_repeatable(check, action) : remedy;
  }
  if (!remedy.empty()) {
    check.report(
        {.table = check.view().relation(),
         .message =
             "outside a transaction, statements that ran before a failure stay in effect: a second run of the file fails here",
         .fix = "use " + std::string(remedy) + ", or BEGIN and COMMIT around the file"});
  }
}

}  // namespace athanor::rule
