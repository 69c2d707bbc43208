// The one error value of the whole house.
//
// An Error says what went wrong in words that are safe to publish: adapters sanitise library messages before they build one,
// so an Error may be logged, put into a status, an event or a terminal without a second look. It carries a stable code (the
// kebab-case name users script against, and the exit code that follows from it), a retry class that decides what a controller
// does next, where it happened, the way out, and the SQLSTATE when a server said it.
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
  AheadOfFiles,  // the ledger knows the database's revision, no file does
  ChecksumMismatch,
  Irreversible,
  StalePlan,
  StepOutcomeUnknown,
  VersionRowMismatch,
  UntrustedTable,      // version table or ledger: not ours, or not an ordinary table
  BookkeepingChanged,  // a revision touched version table, ledger or lock
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
  // A human or an orchestrator asked us to stop.
  Interrupted,
  // Refused by declared policy.
  PolicyRefused,
  // Backups.
  BackupFailed,   // could not be taken, read or restored; may work next time
  BackupRefused,  // cannot work: client older than the server, no program, no folder
  BackupCorrupt,  // a file is truncated or changed
  BackupNotFound,
  // The schema: what it should be, and the way there.
  DesiredSchemaFailed,  // models, schema file or command could not be loaded
  ScratchUnavailable,   // no server for scratch databases, or not of the target's major version
  SchemaChangeRefused,  // no safe way from the one schema to the other
  ProofFailed,          // the generated revision does not lead to the desired schema, or its downgrade not back
  ModelsAhead,          // the desired schema has what no revision has
  Drifted,              // the database is not what its revisions make
  LintFindings,         // rules of the level that fails the command
  VerificationFailed,   // a query of `athanor verify` answered otherwise than expected
  // A Kubernetes API server.
  ApiUnreachable,   // cannot connect, broke off, timed out, 5xx
  ApiThrottled,     // 429
  ApiUnauthorized,  // 401
  ApiForbidden,     // 403
  ApiNotFound,      // 404
  ApiConflict,      // 409: the object changed meanwhile, or exists already
  ApiExpired,       // 410: the history asked for is compacted
  ApiInvalid,       // 400, 413, 415, 422: the server will never take this request
};

// What a controller may do about it. Terminal waits for a change of spec, source or Secret; Transient is tried again with
// back-off; Conflict is tried again at once from a fresh observation.
enum class RetryClass : std::uint8_t { Terminal, Transient, Conflict };

// The stable, documented name, for example "multiple-heads".
[[nodiscard]] std::string_view error_name(ErrorCode code);
// The stable, documented exit code of the command line.
[[nodiscard]] int exit_code(ErrorCode code);
// The class an error of this code has unless its adapter knows better.
[[nodiscard]] RetryClass default_retry(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  RetryClass retry = RetryClass::Terminal;
  std::string message;   // one sentence, sanitised, no trailing newline
  std::string context;   // where: "versions/ab12_add_email.sql:14", "revision ab12, statement 3"; may be empty
  std::string hint;      // the way out, imperative; may be empty
  std::string sqlstate;  // five characters when a server reported it
  int position = 0;      // 1-based character of the statement where the server saw the fault; 0 when it did not say
  int body_line = 0;     // 1-based line of an anonymous block's body (DO) where it failed; 0 when it was elsewhere

  Error() = default;
  Error(ErrorCode error_code, std::string text)
      : code(error_code), retry(default_retry(error_code)), message(std::move(text)) {}

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

// For GoogleTest, which would print an enumeration as bytes.
void PrintTo(ErrorCode code, std::ostream* out);
void PrintTo(RetryClass retry, std::ostream* out);

}  // namespace athanor
