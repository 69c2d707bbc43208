#include "migrations/execute/revision_transaction.hpp"

#include <algorithm>

#include "migrations/session/session_reset.hpp"

namespace athanor {
namespace {

using Part = CommandOrigin::Part;

Error row_mismatch(const RunContext& run, const CommandOrigin& origin) {
  const auto& revision = run.plan.revisions[origin.revision];
  std::string heads;
  for (const auto& head : run.heads_before(origin.revision)) {
    heads += (heads.empty() ? "" : ", ") + head;
  }
  return Error(ErrorCode::VersionRowMismatch, "the version table " + run.versions.qualified() +
                                                  " no longer has the rows that revision " +
                                                  revision.walk.revision.value_or(run.plan.target) + " starts from (" +
                                                  (heads.empty() ? "no row" : heads) + "); nothing of the revision was applied")
      .advise("another tool wrote to the version table during the run: check `athanor current`, then run again");
}

// The transaction has rolled back, so a difference in the table now comes from another session.
bool changed_by_others(const RunContext& run, std::size_t revision) {
  const auto rows = run.session.query(run.versions.select_statement());
  if (!rows) {
    return false;
  }
  std::vector<std::string> heads;
  for (std::size_t i = 0; i < rows->rows.size(); ++i) {
    heads.push_back(rows->text(i, 0));
  }
  std::ranges::sort(heads);
  return heads != run.heads_before(revision) && heads != run.plan.from;
}

}  // namespace

void RevisionTransaction::add(std::size_t revision, Command command, Part part, const SqlStatement* statement) {
  bytes += command.sql.size();
  transaction.commands.push_back(std::move(command));
  origins.push_back({revision, part, statement});
}

void RevisionTransaction::add_all(std::size_t revision, const std::vector<Command>& commands, Part part) {
  for (const auto& command : commands) {
    add(revision, command, part);
  }
}

void RevisionTransaction::add_statements(std::size_t revision, const ScriptStep& step, bool fresh) {
  for (const auto& statement : step.statements) {
    if (!fresh && RevisionGuard::needs_text_guard(statement.sql)) {
      add(revision, RevisionGuard::before_text(), Part::TextGuard, &statement);
    }
    add(revision, {std::string(statement.sql), {}, "", true}, Part::Statement, &statement);
    fresh = false;
  }
}

void RevisionTransaction::add_reset(std::size_t revision) {
  // The first command of the reset (SET CONSTRAINTS ALL IMMEDIATE) runs deferred triggers, as COMMIT would.
  for (const auto& command : session_reset()) {
    add(revision, command, &command == &session_reset().front() ? Part::Commit : Part::After);
  }
}

void RevisionTransaction::add_defaults(std::size_t revision) {
  for (const auto& command : session_defaults_for_transaction()) {
    add(revision, command, &command == &session_defaults_for_transaction().front() ? Part::Commit : Part::After);
  }
}

CommandOrigin RevisionTransaction::origin_of(std::size_t index) const {
  return index < origins.size() ? origins[index] : CommandOrigin{origins.back().revision, Part::Commit};
}

Error explain_failure(const RunContext& run, const CommandOrigin& origin, Error error) {
  switch (origin.part) {
    case Part::Statement:
      return error;
    case Part::Commit:
      error.message += " (at COMMIT)";
      return error;
    case Part::Before:
      if (error.sqlstate == VersionTable::kGuardFailed) {
        return row_mismatch(run, origin);
      }
      if (error.sqlstate == RevisionGuard::kLockLost) {
        return Error(ErrorCode::LockHeld, "this run lost the migration lock, and another session has taken it")
            .advise("run again: it continues from there");
      }
      if (auto refused = run.guard.row_refused(error)) {
        return std::move(*refused);
      }
      return error;
    case Part::TextGuard:
    case Part::After:
      break;
  }
  // Before blaming the revision, rule out another tool that changed the version table.
  const bool rows_changed = error.sqlstate == RevisionGuard::kRowsChanged && changed_by_others(run, origin.revision);
  if (rows_changed || error.sqlstate == VersionTable::kGuardFailed) {
    return row_mismatch(run, origin);
  }
  auto explained = run.guard.explain(error, run.plan.revisions[origin.revision].walk.revision.value_or(run.plan.target));
  return explained ? std::move(*explained) : error;
}

}  // namespace athanor
