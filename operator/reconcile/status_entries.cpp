#include "operator/reconcile/status_entries.hpp"

#include <algorithm>
#include <utility>

#include "operator/api/status_limits.hpp"
#include "operator/reconcile/decide.hpp"

namespace athanor::controller {
namespace {

std::vector<std::string> first_of(const std::vector<std::string>& items) {
  return {items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(items.size(), kMaxListed))};
}

}  // namespace

std::string short_hash(const PlanReview& review) {
  return review.approval_hash.substr(0, kShownHash);
}

PlanStatus plan_status(const PlanReview& review) {
  const Plan& plan = *review.plan;
  PlanStatus status;
  status.hash = review.approval_hash;
  status.content_hash = plan.hash;
  status.direction = direction_name(plan.operation);
  status.revisions = static_cast<std::int64_t>(plan.revisions.size());
  for (const auto& revision : plan.revisions) {
    if (status.summary.size() == kMaxListed) {
      break;
    }
    std::string line(direction_name(revision.walk.direction));
    line += " " + revision.walk.revision.value_or("");
    if (!revision.message.empty()) {
      line += " " + revision.message;
    }
    status.summary.push_back(std::move(line));
  }
  status.warnings = first_of(plan.warnings);
  status.destructive = first_of(review.destructive);
  status.sql_sha256 = review.sql_sha256.value_or("");
  if (const auto& lint = review.lint) {
    status.lint = LintStatus{lint->errors, lint->warnings, lint->hints, first_of(lint->findings)};
  }
  return status;
}

std::vector<BlockerStatus> blocker_status(const std::vector<Blocker>& blockers) {
  std::vector<BlockerStatus> statuses;
  for (const auto& blocker : blockers) {
    if (statuses.size() == kMaxListed) {
      break;
    }
    statuses.push_back({blocker.pid, blocker.application, blocker.user, blocker.since, blocker.query});
  }
  return statuses;
}

ErrorStatus error_status(const Outcome& outcome, const std::string& now) {
  const Error& error = *outcome.error;
  ErrorStatus status;
  status.code = error_name(error.code);
  status.message = error.context.empty() ? error.message : error.context + ": " + error.message;
  status.hint = error.hint;
  status.sqlstate = error.sqlstate;
  status.time = now;
  status.blockers = blocker_status(outcome.blockers);
  if (outcome.report) {
    status.revision = outcome.report->failed_revision;
    status.line = outcome.report->failed_line;
    status.statement = outcome.report->failed_statement;
  }
  fit(status);
  return status;
}

HistoryStatus history_entry(const ExecutionReport& report, Direction direction, const std::vector<std::string>& from,
                            const std::string& now) {
  HistoryStatus entry;
  entry.time = now;
  entry.direction = direction_name(direction);
  entry.from = heads_text(from, ",");
  if (report.current_heads) {
    entry.to = heads_text(*report.current_heads, ",");
  }
  entry.revisions = static_cast<std::int64_t>(report.executed.size());
  entry.duration_ms = report.duration.count();
  entry.outcome = report.ok() ? "applied" : std::string(error_name(report.error->code));
  entry.run_id = report.run_id;
  fit(entry);
  return entry;
}

ApprovalStatus approval_status(const Approval& given, const ApprovalTally& tally) {
  ApprovalStatus status{given.name, given.plan_hash, given.approved_by, given.approved_at, tally.required, 0, {}};
  status.given = std::min(tally.required, static_cast<std::int64_t>(tally.counted.size()));
  for (const auto& approval : tally.counted) {
    status.approvers.push_back(approval.approved_by);
  }
  status.approvers = first_of(status.approvers);
  return status;
}

SourceStatus source_status(const DatabaseMigration& resource, const std::string& revision, std::optional<std::int64_t> files,
                           const std::string& now) {
  SourceStatus source{std::string(resource.spec.source.kind()), revision, files, now};
  fit(source);
  return source;
}

bool shows_source(const DatabaseMigrationStatus& status, const SourceStatus& source) {
  return status.source && status.source->kind == source.kind && status.source->revision == source.revision &&
         status.source->files == source.files;
}

void set_observed(DatabaseMigrationStatus& status, const DatabaseMigration& resource, const Observed& observed,
                  const std::string& now) {
  if (observed.source_revision) {
    SourceStatus source = source_status(resource, *observed.source_revision, observed.source_files, now);
    if (!shows_source(status, source)) {  // an unchanged source keeps its time, so that the status is unchanged
      status.source = std::move(source);
    }
  }
  if (observed.job) {
    status.job = observed.job;
  }
  if (observed.database_id) {
    status.database_id = *observed.database_id;
  }
  if (observed.current_heads) {
    status.current_revisions = *observed.current_heads;
    status.current_revision = heads_text(*observed.current_heads, ",");
  } else if (observed.rows_unknown) {
    status.current_revisions.clear();
    status.current_revision.clear();
  }
  status.resolved_revisions = observed.resolved ? first_of(*observed.resolved) : std::vector<std::string>();
  status.pending_count.reset();  // 0 would mean that nothing is pending
  status.pending_revisions.clear();
  if (observed.pending) {
    status.pending_count = static_cast<std::int64_t>(observed.pending->size());
    status.pending_revisions = first_of(*observed.pending);
  }
}

bool shows_lock_wait(const DatabaseMigrationStatus& status) {
  return status.last_error && status.last_error->code == error_name(ErrorCode::LockTimeout) &&
         status.last_error->message.starts_with(kWaitsFor);
}

void set_lock_error(DatabaseMigrationStatus& status, const RunState& run, const std::string& now) {
  const bool shown = shows_lock_wait(status);
  if (!run.wait || run.wait->migration_lock) {
    if (shown) {
      status.last_error.reset();
    }
    return;
  }
  ErrorStatus error;
  error.code = error_name(ErrorCode::LockTimeout);
  error.message = lock_message("a lock", run.wait->holders);
  error.hint = "end the session that holds it, or wait";
  error.revision = run.wait->revision;
  error.blockers = blocker_status(run.wait->holders);
  error.time = now;
  fit(error);
  // The same wait keeps its time, so that the status is unchanged and not written.
  if (shown && status.last_error->blockers == error.blockers) {
    error.time = status.last_error->time;
  }
  status.last_error = std::move(error);
}

}  // namespace athanor::controller
