#include "operator/reconcile/job_run.hpp"

#include <algorithm>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "migrations/base/sqlstate.hpp"

namespace athanor::controller {
namespace {

// The informer queues the resource when its Job ends. This interval is for missed events and for progress.
constexpr milliseconds kRequeueAfter{15'000};
constexpr std::chrono::seconds kPauseBeforeNext{60};
constexpr std::chrono::seconds kClocksDiffer{30};
constexpr std::size_t kFailures = 8;             // rows that earlier failed runs may have left in between
constexpr std::size_t kRowsOfUnknownPlan = 200;  // for a plan that only the pod knows
constexpr std::size_t kAttemptDigits = 40;
constexpr std::size_t kSecondsOfTime = 19;  // "2026-11-21T02:10:00"

// Builds an error from the ledger's SQLSTATE and message, classified like that of an in-process run.
Error error_of(const Migrator::HistoryEntry& failed) {
  return Error(code_of_sqlstate(failed.sqlstate), failed.message)
      .with_sqlstate(failed.sqlstate)
      .with_retry(retry_of_sqlstate(failed.sqlstate))
      .at(failed.revision);
}

bool not_before(const std::string& time, const std::optional<WallTime>& begin) {
  return !begin || time.substr(0, kSecondsOfTime) >= format_iso8601(*begin - kClocksDiffer).substr(0, kSecondsOfTime);
}

// Returns the run id in the report, else that of the newest run of this plan since the Job was created.
std::string run_id_of(const JobState& job, const LedgerRows& ledger) {
  if (job.report && !job.report->run_id.empty()) {
    return job.report->run_id;
  }
  if (job.plan_hash.empty()) {
    return {};
  }
  for (const auto& entry : ledger) {
    if (entry.plan_hash == job.plan_hash && not_before(entry.started_at, job.created)) {
      return entry.run_id;
    }
  }
  return {};
}

void add_failure(const JobState& job, const Migrator::HistoryEntry* failed, ExecutionReport& report) {
  if (job.report) {
    report.error = job.report->error;
    report.failed_revision = job.report->failed_revision;
    report.failed_line = job.report->failed_line;
    report.failed_statement = job.report->failed_statement;
  }
  if (job.kind != JobState::Kind::Failed) {
    report.error.reset();
  } else if (!report.error && failed != nullptr) {
    report.error = error_of(*failed);
    report.failed_revision = failed->revision;
  } else if (!report.error) {
    report.error = Error(ErrorCode::Interrupted, "Job " + job.name + " ended: " + job.message);
  }
}

bool is_applied(const Migrator::HistoryEntry& entry) {
  return entry.outcome != "failed";
}

Direction direction_of(const std::string& name) {
  return name == direction_name(Direction::Downgrade) ? Direction::Downgrade : Direction::Upgrade;
}

}  // namespace

std::string attempt_id(const std::string& of) {
  return sha256_hex(of).substr(0, kAttemptDigits);
}

// Returns nothing for text that is not a URL: it might contain the password.
std::string without_password(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) {
    return {};
  }
  const std::size_t begin = scheme + 3;
  std::string rest = url.substr(begin, url.find('?', begin) - begin);
  const std::size_t at = rest.rfind('@');
  if (at == std::string::npos) {
    return rest;
  }
  return rest.substr(0, std::min(at, rest.find(':'))) + rest.substr(at);
}

bool needs_plan(const DatabaseMigration& resource) {
  const DatabaseMigrationSpec& spec = resource.spec;
  return !resource.other_windows.empty() || resource.too_many_windows || spec.dry_run ||
         spec.policy.approval != ApprovalPolicy::Never || spec.backup.when != BackupWhen::Never ||
         !spec.execution.windows.empty() || spec.policy.downgrade == DowngradePolicy::Allow || spec.policy.lint;
}

std::shared_ptr<const Plan> plan_of(const JobState& job, const std::string& target) {
  const auto plan = std::make_shared<Plan>(*job.report->plan);
  plan->target = target;
  plan->from = job.from;
  return plan;
}

std::size_t ledger_rows_of(const JobState& job) {
  return job.plan_hash.empty() ? kRowsOfUnknownPlan
                               : static_cast<std::size_t>(std::max<std::int64_t>(job.revisions, 0)) + kFailures;
}

std::shared_ptr<const ReportedRun> run_of(const JobState& job, const LedgerRows& ledger, const std::vector<std::string>& rows) {
  const std::string run_id = run_id_of(job, ledger);
  ReportedRun run;
  run.report.run_id = run_id;
  run.from = job.from;
  const Migrator::HistoryEntry* failed = nullptr;
  for (const auto& entry : ledger) {
    if (run_id.empty() || entry.run_id != run_id) {
      continue;
    }
    run.direction = direction_of(entry.direction);
    run.report.duration += milliseconds(entry.duration_ms);
    if (is_applied(entry)) {
      run.report.executed.insert(run.report.executed.begin(), {entry.revision, run.direction, milliseconds(entry.duration_ms)});
    } else if (failed == nullptr) {
      failed = &entry;
    }
  }
  if (run.report.executed.empty() && failed == nullptr) {
    return nullptr;
  }
  add_failure(job, failed, run.report);
  run.report.current_heads = job.report && job.report->current_heads ? job.report->current_heads : rows;
  return std::make_shared<const ReportedRun>(std::move(run));
}

ProgressStatus progress_of(const JobState& job, const LedgerRows& ledger, const Observation& database) {
  ProgressStatus progress;
  progress.total = std::max<std::int64_t>(job.revisions, 0);
  const auto ours = [&](const Migrator::HistoryEntry& entry) {
    return is_applied(entry) && entry.plan_hash == job.plan_hash && not_before(entry.started_at, job.created);
  };
  progress.done = std::min(progress.total, static_cast<std::int64_t>(std::ranges::count_if(ledger, ours)));
  if (database.unfinished) {
    progress.revision = database.unfinished->revision;
    progress.rows = database.unfinished->rows;
  }
  return progress;
}

bool failed_at_this(const JobState& job, const JobRequest& wanted, const std::vector<std::string>& rows) {
  if (job.kind != JobState::Kind::Failed) {
    return false;
  }
  if (job.attempt == wanted.attempt) {
    return true;
  }
  if (job.declaration.empty() || job.declaration != wanted.declaration) {
    return false;
  }
  // A Job without a report, or one that never observed the database, may have stopped at any point.
  const bool never_observed = !job.report || !job.report->current_heads;
  return never_observed || job.report->current_heads == rows;
}

Verdict waiting_for(const JobState& job) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::Waiting;
  verdict.reason = Reason::JobRunning;
  verdict.message = "Job " + job.name + (job.work == JobRequest::Work::Plan ? " is planning" : " is running") +
                    (job.message.empty() ? "" : ": " + job.message);
  verdict.requeue_after = kRequeueAfter;
  verdict.planning = job.work == JobRequest::Work::Plan;
  return verdict;
}

Verdict failure_of(const JobState& job, const ReportedRun* run) {
  const bool reported =
      (job.report && job.report->error) || (run && run->report.error && run->report.error->code != ErrorCode::Interrupted);
  if (!reported) {
    Verdict verdict = verdict_of(Error(ErrorCode::Internal, "Job " + job.name + " failed: " + job.message));
    verdict.kind = Verdict::Kind::Stalled;
    verdict.reason = Reason::JobFailed;
    return verdict;
  }
  Verdict verdict = verdict_of(job.report && job.report->error ? *job.report->error : *run->report.error);
  verdict.retry_now = false;
  if (verdict.reason == Reason::Interrupted) {  // the pod was stopped, not the operator
    verdict.kind = Verdict::Kind::Failed;
  }
  if (verdict.kind == Verdict::Kind::Waiting) {
    verdict.requeue_after = kRequeueAfter;
  }
  return verdict;
}

Verdict not_started(Error error) {
  Verdict verdict = verdict_of(std::move(error));
  switch (verdict.error->code) {
    case ErrorCode::FileTooLarge:
      verdict.reason = Reason::SourceTooLarge;
      break;
    case ErrorCode::Configuration:  // what the resource demands of the pod
      verdict.reason = Reason::InvalidManifest;
      break;
    case ErrorCode::ApiInvalid:
    case ErrorCode::PolicyRefused:
      verdict.reason = Reason::JobRefused;
      break;
    default:
      break;
  }
  return verdict;
}

bool may_try_again(const JobState& job, const Verdict& failure, WallTime now) {
  return failure.kind != Verdict::Kind::Stalled && (!job.ended || now - *job.ended >= kPauseBeforeNext);
}

}  // namespace athanor::controller
