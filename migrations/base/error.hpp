// The one error type of the project.
//
// An Error is safe to publish: adapters sanitise library messages before they build one, so callers may log it, print it or put
// it into a status or event unchanged. It carries a stable code (the kebab-case name that scripts match, which also determines
// the exit code), a retry class for the controller, where it happened, a hint, and the SQLSTATE when the error came from a
// server.
//
// Threads: plain value. Ownership: owns its strings.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace athanor {

enum class ErrorCode : std::uint8_t {
  Internal,
  // The command line and its configuration.
  Usage,
  Configuration,
  MissingDatabaseUrl,
  Io,
  // Revision files and the graph they form.
  MalformedRevision,
  FileTooLarge,
  NotUtf8,
  PathEscape,
  DuplicateRevision,
  InvalidRevisionId,
  MissingParent,
  MissingDependency,
  SelfLoop,
  Cycle,
  DependencySelfLoop,
  DependencyCycle,
  DuplicateLabel,
  UnsupportedStatement,
  NotRenderable,
  // Targets and walks over the graph.
  UnknownRevision,
  AmbiguousPrefix,
  MultipleHeads,
  AmbiguousWalk,
  RelativeOutOfRange,
  WalkedTooFar,
  InvalidDowngradeTarget,
  OverlappingHeads,
  RangeNotAllowed,
  InvalidTarget,
  NotAHead,
  // State of the database against the files.
  NotUpToDate,
  UnknownDatabaseRevision,
  AheadOfFiles,  // the ledger knows the database's revision, but no file defines it
  ChecksumMismatch,
  Irreversible,
  StalePlan,
  StepOutcomeUnknown,
  VersionRowMismatch,
  UntrustedTable,      // version table or ledger: not created by us, or not an ordinary table
  BookkeepingChanged,  // a revision changed the version table, the ledger or the lock
  // The database itself.
  DatabaseUnreachable,
  AuthenticationFailed,
  PoolerRefused,
  InsufficientPrivilege,
  ConnectionLost,
  CommitOutcomeUnknown,
  LockHeld,
  LockTimeout,
  StatementFailed,
  // A user or an orchestrator requested a stop.
  Interrupted,
  // Refused by a configured policy.
  PolicyRefused,
  // Backups.
  BackupFailed,   // could not be taken, read or restored; may work next time
  BackupRefused,  // cannot work: client older than the server, no program, no folder
  BackupCorrupt,  // a file is truncated or changed
  BackupNotFound,
  // The desired schema, and the revision that leads to it.
  DesiredSchemaFailed,  // models, schema file or command could not be loaded
  ScratchUnavailable,   // no server for scratch databases, or not of the target's major version
  SchemaChangeRefused,  // no safe way from the one schema to the other
  ProofFailed,          // the generated revision does not lead to the desired schema, or its downgrade does not lead back
  ModelsAhead,          // the desired schema contains objects that no revision creates
  Drifted,              // the database differs from what its revisions create
  LintFindings,         // findings of rules at the level that fails the command
  VerificationFailed,   // a query of `athanor verify` returned an unexpected result
  // A Kubernetes API server.
  ApiUnreachable,   // cannot connect, connection lost, timeout, 5xx
  ApiThrottled,     // 429
  ApiUnauthorized,  // 401
  ApiForbidden,     // 403
  ApiNotFound,      // 404
  ApiConflict,      // 409: the object changed meanwhile, or already exists
  ApiExpired,       // 410: the requested resourceVersion is compacted
  ApiInvalid,       // 400, 413, 415, 422: the server will never accept this request
};

// What a controller does next. Terminal: wait for a change of spec, source or Secret. Transient: retry with back-off. Conflict:
// retry immediately from a fresh observation.
enum class RetryClass : std::uint8_t { Terminal, Transient, Conflict };

// The stable, documented name, for example "multiple-heads".
[[nodiscard]] std::string_view error_name(ErrorCode code);
// The stable, documented exit code of the command line.
[[nodiscard]] int exit_code(ErrorCode code);
// The retry class of a code when the adapter does not set another.
[[nodiscard]] RetryClass default_retry(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  RetryClass retry = RetryClass::Terminal;
  std::string message;   // one sentence, sanitised, no trailing newline
  std::string context;   // where: "versions/ab12_add_email.sql:14", "revision ab12, statement 3"; may be empty
  std::string hint;      // what to do, imperative; may be empty
  std::string sqlstate;  // five characters when a server reported it
  int position = 0;      // 1-based character of the statement where the server reports the error; 0 when unknown
  int body_line = 0;     // 1-based line inside a DO block's body where it failed; 0 when it failed elsewhere

  Error() = default;
  Error(ErrorCode error_code, std::string text)
      : code(error_code), retry(default_retry(error_code)), message(std::move(text)) {}

  // The setters below replace one field and return the error, to be chained: Error(...).at(...).advise(...).
  [[nodiscard]] Error at(std::string where) && {
    context = std::move(where);
    return std::move(*this);
  }
  [[nodiscard]] Error advise(std::string way_out) && {
    hint = std::move(way_out);
    return std::move(*this);
  }
  [[nodiscard]] Error with_sqlstate(std::string state) && {
    sqlstate = std::move(state);
    return std::move(*this);
  }
  [[nodiscard]] Error with_retry(RetryClass retry_class) && {
    retry = retry_class;
    return std::move(*this);
  }

  // "context: message (SQLSTATE 42P07)": one line for logs and terminals, without the hint.
  [[nodiscard]] std::string describe() const;
};

// Makes GoogleTest print the names instead of the underlying bytes.
void PrintTo(ErrorCode code, std::ostream* out);
void PrintTo(RetryClass retry, std::ostream* out);

}  // namespace athanor
