// The Migrator's operations on the ledger outside a run: applied checksums, history, repair.
#include <charconv>

#include "migrations/base/sha256.hpp"
#include "migrations/execute/migrator_impl.hpp"
#include "migrations/execute/user_tables.hpp"
#include "migrations/plan/script.hpp"

namespace athanor {
namespace {

Error changed(const Revision& revision, const AppliedRevision& applied) {
  return Error(ErrorCode::ChecksumMismatch,
               "revision " + revision.id + " was applied " + applied.applied_at + ", and its file has changed since")
      .at(revision.path)
      .advise("review the change with: git log -p -- " + revision.path +
              "; restore the file and write a new revision, or accept the changed file: athanor repair --accept " +
              revision.id);
}

}  // namespace

Result<std::map<std::string, AppliedRevision>> Migrator::applied_revisions() {
  TRY_ASSIGN(const DatabaseState state, impl_->observe());
  std::map<std::string, AppliedRevision> applied;
  if (!state.observation.has_ledger) {
    return applied;
  }
  auto answer = impl_->session->query(impl_->ledger.history().select_applied());
  if (!answer) {
    return fail(without_column("the ledger's table " + impl_->ledger.history().name(), std::move(answer).error()));
  }
  const Rows& rows = *answer;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    // The latest row of a revision that was taken down is a downgrade: it is not applied.
    if (rows.text(i, 5) != "downgrade") {
      applied.emplace(rows.text(i, 0),
                      AppliedRevision{rows.text(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4)});
    }
  }
  return applied;
}

Result<std::unordered_map<std::string, std::string>> Migrator::Impl::recorded_checksums() {
  std::unordered_map<std::string, std::string> checksums;
  TRY(connect());
  if (!last_state) {
    TRY_ASSIGN([[maybe_unused]] const DatabaseState state, observe());
  }
  if (!last_state->observation.has_ledger) {
    return checksums;
  }
  auto rows = session->query(ledger.history().select_checksums());
  if (!rows) {
    return fail(without_column("the ledger's table " + ledger.history().name(), std::move(rows).error()));
  }
  for (auto& row : rows->rows) {
    if (row.size() > 2 && row[0] && row[1] && row[2] != "downgrade") {
      checksums.emplace(std::move(*row[0]), std::move(*row[1]));
    }
  }
  return checksums;
}

// Reads only what it needs: nothing before a first revision is applied, and no file whose checksum the plan has already.
Result<void> Migrator::verify_checksums(const RevisionGraph& graph, const RevisionSource& source,
                                        const std::vector<std::string>& current_heads, const Plan* plan) {
  if (current_heads.empty()) {
    return {};
  }
  TRY_ASSIGN(const auto recorded, impl_->recorded_checksums());
  if (recorded.empty()) {
    return {};
  }
  std::unordered_map<std::string_view, const std::string*> planned;
  if (plan != nullptr) {
    for (const auto& revision : plan->revisions) {
      if (revision.walk.revision && revision.script) {
        planned.emplace(*revision.walk.revision, &revision.script->checksum);
      }
    }
  }
  TRY_ASSIGN(const auto ids, graph.applied(current_heads));
  for (const auto& id : ids) {
    const auto entry = recorded.find(id);
    const Revision* revision = graph.find(id);
    if (entry == recorded.end() || entry->second.empty() || revision == nullptr) {
      continue;
    }
    const auto known = planned.find(id);
    std::string checksum;
    if (known != planned.end()) {
      checksum = *known->second;
    } else {
      TRY_ASSIGN(checksum, source.checksum(*revision));
    }
    if (checksum != entry->second) {
      // A file written by `athanor squash` has the id of the last revision that it replaces, so its checksum differs
      // legitimately.
      TRY_ASSIGN(std::string text, source.read(*revision));
      const auto script = parse_script(*revision, std::move(text));
      if (script && script->stands_for(id, entry->second)) {
        continue;
      }
      // Only now, for the message: who applied it, and when.
      TRY_ASSIGN(const auto applied, applied_revisions());
      const auto details = applied.find(id);
      return fail(changed(*revision, details == applied.end() ? AppliedRevision{} : details->second));
    }
  }
  return {};
}

Result<int> Migrator::accept_checksums(const std::map<std::string, std::string>& checksum_by_revision, const StopToken& stop) {
  ExecutionReport report;
  int accepted = 0;
  TRY(impl_->with_lock(stop, report, [&](const DatabaseState& state) -> Result<void> {
    TRY(create_missing(*impl_->session, impl_->settings, state, impl_->versions, impl_->ledger));
    Transaction transaction;
    for (const auto& [revision, checksum] : checksum_by_revision) {
      transaction.commands.push_back(impl_->ledger.history().record(
          {impl_->settings.run_id, revision, "upgrade", "repaired", checksum, "", impl_->settings.actor}));
    }
    TRY(impl_->session->submit(transaction));
    TRY_ASSIGN(TransactionOutcome outcome, impl_->session->collect());
    if (outcome.error) {
      return fail(std::move(*outcome.error));
    }
    accepted = static_cast<int>(checksum_by_revision.size());
    return {};
  }));
  return accepted;
}

Result<void> Migrator::resolve_step(StepResolution resolution, const StopToken& stop) {
  ExecutionReport report;
  return impl_->with_lock(stop, report, [&](const DatabaseState& state) -> Result<void> {
    const auto& open = state.observation.unfinished;
    if (!open) {
      return fail(ErrorCode::Usage, "no revision is half-applied: there is nothing to repair");
    }
    TRY(create_missing(*impl_->session, impl_->settings, state, impl_->versions, impl_->ledger));
    const auto direction = direction_name(open->direction);
    const StepKey key{open->revision, direction, static_cast<std::size_t>(open->step),
                      static_cast<std::size_t>(open->statement)};
    Command command;
    // Abandon drops all step rows: the revision counts as not started. Redo drops only the intent, so that the statement runs
    // again.
    if (resolution == StepResolution::Abandon) {
      command = impl_->ledger.steps().forget_revision(open->revision);
    } else if (!open->intent) {
      return fail(Error(ErrorCode::Usage,
                        "nothing to resolve: the outcome of every statement of revision " + open->revision + " is known")
                      .advise("run its " + std::string(direction) + " again: it continues where it stopped"));
    } else if (resolution == StepResolution::Done) {
      command = impl_->ledger.steps().record_state(
          key, {.state = "done", .checksum = open->parts.back().checksum, .run_id = impl_->settings.run_id});
    } else {
      command = impl_->ledger.steps().forget(key);
    }
    TRY(impl_->session->query(command.sql, command.parameters));
    return {};
  });
}

Result<std::vector<Migrator::HistoryEntry>> Migrator::ledger(std::size_t limit) {
  TRY_ASSIGN(const DatabaseState state, impl_->observe());
  std::vector<HistoryEntry> entries;
  if (!state.observation.has_ledger) {
    return entries;
  }
  TRY_ASSIGN(const Rows rows, impl_->session->query(impl_->ledger.history().select_newest(limit)));
  const auto number = [](const std::string& text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    HistoryEntry& entry = entries.emplace_back();
    entry.id = number(rows.text(i, 0));
    entry.run_id = rows.text(i, 1);
    entry.revision = rows.text(i, 2);
    entry.direction = rows.text(i, 3);
    entry.outcome = rows.text(i, 4);
    entry.checksum = rows.text(i, 5);
    entry.plan_hash = rows.text(i, 6);
    entry.started_at = rows.text(i, 7);
    entry.actor = rows.text(i, 8);
    entry.sqlstate = rows.text(i, 9);
    entry.message = rows.text(i, 10);
    entry.duration_ms = number(rows.text(i, 11));
  }
  return entries;
}

Result<bool> Migrator::has_user_tables() {
  TRY(impl_->connect());
  if (!impl_->last_state) {
    TRY_ASSIGN([[maybe_unused]] const DatabaseState state, impl_->observe());
  }
  return athanor::has_user_tables(*impl_->session, impl_->settings, impl_->versions);
}

Result<std::optional<LastChange>> Migrator::last_change() {
  TRY(impl_->connect());
  if (!impl_->last_state) {
    TRY_ASSIGN([[maybe_unused]] const DatabaseState state, impl_->observe());
  }
  if (!impl_->last_state->observation.has_ledger) {
    return std::optional<LastChange>();
  }
  TRY_ASSIGN(const Rows rows, impl_->session->query(impl_->ledger.history().select_last_change()));
  if (rows.empty()) {
    return std::optional<LastChange>();
  }
  LastChange last;
  last.direction = rows.text(0, 0) == "downgrade" ? Direction::Downgrade : Direction::Upgrade;
  const std::string age = rows.text(0, 1);
  std::int64_t count = 0;
  std::from_chars(age.data(), age.data() + age.size(), count);
  last.age = milliseconds(std::max<std::int64_t>(count, 0));
  return std::optional(last);
}

}  // namespace athanor
