// Lists every field of a status once: its name, and the limits of the schema in crds/.
//
// Code that writes, reads, cuts or describes a status visits this list (status_codec.cpp, status_limits.cpp). Limits of texts
// are in bytes, whereas the schema counts characters, so a text that fits here also fits the schema.
//
// Threads: pure functions.
#pragma once

#include <cstddef>

#include "operator/api/database_migration.hpp"

namespace athanor::controller::status {

struct Length {
  std::size_t bytes;
};
struct Items {
  std::size_t count;
};

inline constexpr Length kName{255};  // of a revision, a user, an application
inline constexpr Length kObjectName{253};
inline constexpr Length kWord{64};  // a hash, an id, a word of ours
inline constexpr Length kDirection{16};
inline constexpr Length kMessage{kMaxMessageBytes};
inline constexpr Length kRows{4'096};
inline constexpr Length kStatement{8'192};
inline constexpr Items kListed{kMaxListed};

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<LintStatus>& lint) {
  codec.always("errors", lint.errors);
  codec.always("warnings", lint.warnings);
  codec.always("hints", lint.hints);
  codec.maybe("findings", lint.findings, kListed, kMessage);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<PlanStatus>& plan) {
  codec.text("approvalHash", plan.hash, kWord);
  codec.text("contentHash", plan.content_hash, kWord);
  codec.text("direction", plan.direction, kDirection);
  codec.always("revisions", plan.revisions);
  codec.maybe("summary", plan.summary, kListed, kMessage);
  codec.maybe("warnings", plan.warnings, kListed, kMessage);
  codec.maybe("destructive", plan.destructive, kListed, kMessage);
  codec.text("sqlSHA256", plan.sql_sha256, kWord);
  codec.part("lint", plan.lint);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<RehearsalStatus>& rehearsal) {
  codec.text("approvalHash", rehearsal.approval_hash, kWord);
  codec.text("copy", rehearsal.copy, kWord);
  codec.text("backup", rehearsal.backup, kMessage);
  codec.always("passed", rehearsal.passed);
  codec.time("completionTime", rehearsal.time);
  codec.always("durationMilliseconds", rehearsal.duration_ms);
  codec.always("statements", rehearsal.statements);
  codec.text("message", rehearsal.message, kMessage);
  codec.maybe("locks", rehearsal.locks, kListed, kMessage);
  codec.maybe("rewrites", rehearsal.rewrites, kListed, kMessage);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<PolicyStatus>& policy) {
  codec.maybe("raised", policy.raised, kListed, kMessage);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<SourceStatus>& source) {
  codec.text("kind", source.kind, kWord);
  codec.text("revision", source.revision, Length{kMaxSourceRevisionBytes});
  codec.known("files", source.files);
  codec.time("firstSeenTime", source.checked_at);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<ApprovalStatus>& approval) {
  codec.text("name", approval.name, kObjectName);
  codec.text("approvalHash", approval.plan_hash, kWord);
  codec.text("approvedBy", approval.approved_by, kMessage);
  codec.time("approvalTime", approval.approved_at);
  codec.always("required", approval.required);
  codec.always("given", approval.given);
  codec.maybe("approvers", approval.approvers, kListed, kMessage);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<JobStatus>& job) {
  codec.text("name", job.name, kObjectName);
  codec.text("phase", job.phase, kWord);
  codec.text("declaration", job.declaration, kWord);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<BackupStatus>& backup) {
  codec.text("location", backup.location, Length{4'096});
  codec.text("revision", backup.revision, kRows);
  codec.time("startTime", backup.started_at);
  codec.always("durationMilliseconds", backup.duration_ms);
  codec.always("sizeBytes", backup.size_bytes);
  codec.text("sha256", backup.sha256, kWord);
  codec.always("verified", backup.verified);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<ProgressStatus>& progress) {
  codec.always("done", progress.done);
  codec.always("total", progress.total);
  codec.text("revision", progress.revision, kName);
  codec.maybe("rows", progress.rows);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<BlockerStatus>& blocker) {
  codec.always("pid", blocker.pid);
  codec.text("application", blocker.application, kName);
  codec.text("user", blocker.user, kName);
  codec.text("transactionStartTime", blocker.since, kWord);
  codec.text("query", blocker.query, kStatement);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<ErrorStatus>& error) {
  codec.text("code", error.code, kWord);
  codec.text("message", error.message, kMessage);
  codec.text("hint", error.hint, kMessage);
  codec.text("sqlState", error.sqlstate, Length{5});
  codec.text("revision", error.revision, kName);
  codec.maybe("line", error.line);
  codec.text("statement", error.statement, kStatement);
  codec.time("failureTime", error.time);
  codec.items("blockers", error.blockers, kListed);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<HistoryStatus>& entry) {
  codec.time("completionTime", entry.time);
  codec.text("direction", entry.direction, kDirection);
  codec.text("from", entry.from, kRows);
  codec.text("to", entry.to, kRows);
  codec.always("revisions", entry.revisions);
  codec.always("durationMilliseconds", entry.duration_ms);
  codec.text("outcome", entry.outcome, kWord);
  codec.text("runID", entry.run_id, kWord);
}

template <class Codec>
void fields(Codec& codec, typename Codec::template Of<DatabaseMigrationStatus>& status) {
  codec.always("observedGeneration", status.observed_generation);
  codec.phase("phase", status.phase);
  codec.always("currentRevisions", status.current_revisions, Items{256}, kName);
  codec.text("currentRevision", status.current_revision, kRows);
  codec.text("targetRevision", status.target_revision, kName);
  codec.maybe("resolvedRevisions", status.resolved_revisions, kListed, kName);
  codec.text("databaseID", status.database_id, kWord);
  codec.known("pendingCount", status.pending_count);
  codec.maybe("pendingRevisions", status.pending_revisions, kListed, kName);
  codec.part("policy", status.policy);
  codec.part("source", status.source);
  codec.part("plan", status.plan);
  codec.part("approval", status.approval);
  codec.part("rehearsal", status.rehearsal);
  codec.part("progress", status.progress);
  codec.part("job", status.job);
  codec.part("lastBackup", status.last_backup);
  codec.part("lastError", status.last_error);
  codec.maybe("failures", status.failures);
  codec.time("nextRetryTime", status.next_retry);
  codec.items("history", status.history, kListed);
  codec.conditions("conditions", status.conditions);
}

}  // namespace athanor::controller::status
