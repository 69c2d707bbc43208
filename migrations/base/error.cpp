#include "migrations/base/error.hpp"

#include <algorithm>
#include <array>
#include <ostream>

namespace athanor {
namespace {

struct CodeEntry {
  ErrorCode code;
  std::string_view name;
  int exit_code;
  RetryClass retry;
};

using enum ErrorCode;
using enum RetryClass;

// The only table of codes. Names and exit codes are stable and documented in docs/user-guide.md.
constexpr std::array kCodes{
    CodeEntry{Internal, "internal", 1, Terminal},
    CodeEntry{Usage, "usage", 2, Terminal},
    CodeEntry{Configuration, "configuration", 3, Terminal},
    CodeEntry{MissingDatabaseUrl, "missing-database-url", 3, Terminal},
    CodeEntry{Io, "io", 3, Transient},
    CodeEntry{MalformedRevision, "malformed-revision", 4, Terminal},
    CodeEntry{FileTooLarge, "file-too-large", 4, Terminal},
    CodeEntry{NotUtf8, "not-utf8", 4, Terminal},
    CodeEntry{PathEscape, "path-escape", 4, Terminal},
    CodeEntry{DuplicateRevision, "duplicate-revision", 4, Terminal},
    CodeEntry{InvalidRevisionId, "invalid-revision-id", 4, Terminal},
    CodeEntry{MissingParent, "missing-parent", 4, Terminal},
    CodeEntry{MissingDependency, "missing-dependency", 4, Terminal},
    CodeEntry{SelfLoop, "self-loop", 4, Terminal},
    CodeEntry{Cycle, "cycle", 4, Terminal},
    CodeEntry{DependencySelfLoop, "dependency-self-loop", 4, Terminal},
    CodeEntry{DependencyCycle, "dependency-cycle", 4, Terminal},
    CodeEntry{DuplicateLabel, "duplicate-label", 4, Terminal},
    CodeEntry{UnsupportedStatement, "unsupported-statement", 4, Terminal},
    CodeEntry{NotRenderable, "not-renderable", 4, Terminal},
    CodeEntry{UnknownRevision, "unknown-revision", 5, Terminal},
    CodeEntry{AmbiguousPrefix, "ambiguous-prefix", 5, Terminal},
    CodeEntry{MultipleHeads, "multiple-heads", 5, Terminal},
    CodeEntry{AmbiguousWalk, "ambiguous-walk", 5, Terminal},
    CodeEntry{RelativeOutOfRange, "relative-out-of-range", 5, Terminal},
    CodeEntry{WalkedTooFar, "walked-too-far", 5, Terminal},
    CodeEntry{InvalidDowngradeTarget, "invalid-downgrade-target", 5, Terminal},
    CodeEntry{OverlappingHeads, "overlapping-heads", 5, Terminal},
    CodeEntry{RangeNotAllowed, "range-not-allowed", 5, Terminal},
    CodeEntry{InvalidTarget, "invalid-target", 5, Terminal},
    CodeEntry{NotAHead, "not-a-head", 5, Terminal},
    CodeEntry{NotUpToDate, "not-up-to-date", 6, Terminal},
    CodeEntry{UnknownDatabaseRevision, "unknown-database-revision", 10, Terminal},
    CodeEntry{AheadOfFiles, "ahead-of-files", 10, Terminal},
    CodeEntry{ChecksumMismatch, "checksum-mismatch", 10, Terminal},
    CodeEntry{Irreversible, "irreversible", 10, Terminal},
    CodeEntry{StalePlan, "stale-plan", 10, Conflict},
    CodeEntry{StepOutcomeUnknown, "step-outcome-unknown", 10, Terminal},
    CodeEntry{VersionRowMismatch, "version-row-mismatch", 10, Conflict},
    CodeEntry{UntrustedTable, "untrusted-table", 10, Terminal},
    CodeEntry{BookkeepingChanged, "bookkeeping-changed", 10, Terminal},
    CodeEntry{DatabaseUnreachable, "database-unreachable", 7, Transient},
    CodeEntry{AuthenticationFailed, "authentication-failed", 7, Transient},
    CodeEntry{PoolerRefused, "pooler-refused", 7, Terminal},
    CodeEntry{InsufficientPrivilege, "insufficient-privilege", 7, Terminal},
    CodeEntry{ConnectionLost, "connection-lost", 7, Transient},
    CodeEntry{CommitOutcomeUnknown, "commit-outcome-unknown", 7, Transient},
    CodeEntry{LockHeld, "lock-held", 8, Transient},
    CodeEntry{LockTimeout, "lock-timeout", 8, Transient},
    CodeEntry{StatementFailed, "statement-failed", 9, Terminal},
    CodeEntry{Interrupted, "interrupted", 11, Transient},
    CodeEntry{PolicyRefused, "policy-refused", 10, Terminal},
    CodeEntry{BackupFailed, "backup-failed", 13, Transient},
    CodeEntry{BackupRefused, "backup-refused", 13, Terminal},
    CodeEntry{BackupCorrupt, "backup-corrupt", 13, Terminal},
    CodeEntry{BackupNotFound, "backup-not-found", 13, Terminal},
    CodeEntry{DesiredSchemaFailed, "desired-schema-failed", 16, Terminal},
    CodeEntry{ScratchUnavailable, "scratch-unavailable", 16, Terminal},
    CodeEntry{SchemaChangeRefused, "schema-change-refused", 16, Terminal},
    CodeEntry{ProofFailed, "proof-failed", 16, Terminal},
    CodeEntry{ModelsAhead, "models-ahead", 14, Terminal},
    CodeEntry{Drifted, "drifted", 15, Terminal},
    CodeEntry{LintFindings, "lint-findings", 17, Terminal},
    CodeEntry{VerificationFailed, "verification-failed", 18, Terminal},
    CodeEntry{ApiUnreachable, "api-unreachable", 12, Transient},
    CodeEntry{ApiThrottled, "api-throttled", 12, Transient},
    CodeEntry{ApiUnauthorized, "api-unauthorized", 12, Transient},
    CodeEntry{ApiForbidden, "api-forbidden", 12, Transient},
    CodeEntry{ApiNotFound, "api-not-found", 12, Terminal},
    CodeEntry{ApiConflict, "api-conflict", 12, Conflict},
    CodeEntry{ApiExpired, "api-expired", 12, Conflict},
    CodeEntry{ApiInvalid, "api-invalid", 12, Terminal},
};

static_assert(kCodes.size() == static_cast<std::size_t>(ApiInvalid) + 1, "every ErrorCode needs its row");

const CodeEntry& entry(ErrorCode code) {
  const auto found = std::ranges::find(kCodes, code, &CodeEntry::code);
  return found == kCodes.end() ? kCodes.front() : *found;
}

}  // namespace

std::string_view error_name(ErrorCode code) {
  return entry(code).name;
}
int exit_code(ErrorCode code) {
  return entry(code).exit_code;
}
RetryClass default_retry(ErrorCode code) {
  return entry(code).retry;
}

void PrintTo(ErrorCode code, std::ostream* out) {
  *out << error_name(code);
}
void PrintTo(RetryClass retry, std::ostream* out) {
  *out << (retry == Terminal ? "Terminal" : retry == Transient ? "Transient" : "Conflict");
}

std::string Error::describe() const {
  std::string line;
  if (!context.empty()) {
    line += context;
    line += ": ";
  }
  line += message;
  if (!sqlstate.empty()) {
    line += " (SQLSTATE ";
    line += sqlstate;
    line += ')';
  }
  return line;
}

}  // namespace athanor
