#include <array>

#include "migrations/plan/byte_settings.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_shape.hpp"
#include "migrations/plan/statement_text.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

Error refusal(std::string message, int line, std::string_view hint) {
  return Error(ErrorCode::UnsupportedStatement, std::move(message)).at(line_context(line)).advise(std::string(hint));
}

// The statement's name if it begins or ends a transaction; empty otherwise. Savepoints are allowed.
std::string_view transaction_control(const StatementShape& shape) {
  if (shape.starts("rollback to") || shape.starts("rollback work to") || shape.starts("rollback transaction to")) {
    return {};
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kControl{{
      {"begin", "BEGIN"},
      {"start transaction", "START TRANSACTION"},
      {"commit prepared", "COMMIT PREPARED"},
      {"commit", "COMMIT"},
      {"end", "END"},
      {"rollback prepared", "ROLLBACK PREPARED"},
      {"rollback", "ROLLBACK"},
      {"abort", "ABORT"},
      {"prepare transaction", "PREPARE TRANSACTION"},
      {"discard", "DISCARD"},
  }};
  for (const auto& [pattern, name] : kControl) {
    if (shape.starts(pattern)) {
      return name;
    }
  }
  return {};
}

Result<void> check_transaction_control(const StatementShape& shape, int line) {
  const auto name = transaction_control(shape);
  if (name.empty()) {
    return {};
  }
  if (name == "DISCARD") {
    return fail(refusal(shape.starts("discard all") ? "DISCARD ALL would release the migration lock in the middle of the run"
                                                    : "DISCARD would reset the session that runs the revisions",
                        line, "remove the statement: the session is reset after a revision that changed its settings"));
  }
  return fail(refusal(std::string(name) + " would interfere with the transaction in which the run updates the version table",
                      line,
                      "remove the statement: a revision is one transaction; split it with '-- athanor:step transaction', or "
                      "use '-- athanor:step autocommit' for statements that run outside a transaction"));
}

// The statement's name if PostgreSQL refuses it in a transaction block; empty otherwise.
std::string_view needs_autocommit(const StatementShape& shape) {
  if (shape.concurrently) {
    if (shape.starts("create index") || shape.starts("create unique index")) {
      return "CREATE INDEX CONCURRENTLY";
    }
    if (shape.starts("drop index")) {
      return "DROP INDEX CONCURRENTLY";
    }
    if (shape.starts("alter table") && shape.detaches_partition) {
      return "ALTER TABLE … DETACH PARTITION CONCURRENTLY";
    }
  }
  if (shape.starts("reindex")) {
    if (shape.concurrently || shape.concurrently_option) {
      return "REINDEX CONCURRENTLY";
    }
    if (shape.reindexes_many) {
      return "REINDEX of a schema, database or system";
    }
  }
  if (shape.starts("cluster") && (shape.words_outside == 1 || (shape.words_outside == 2 && shape.starts("cluster verbose")))) {
    return shape.names_quoted ? std::string_view() : "CLUSTER of all tables";
  }
  if (shape.starts("alter database") && shape.sets_tablespace) {
    return "ALTER DATABASE … SET TABLESPACE";
  }
  if (shape.starts("create subscription") && !shape.names_create_slot) {
    return "CREATE SUBSCRIPTION with a replication slot";
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kAlways{{
      {"vacuum", "VACUUM"},
      {"create database", "CREATE DATABASE"},
      {"drop database", "DROP DATABASE"},
      {"create tablespace", "CREATE TABLESPACE"},
      {"drop tablespace", "DROP TABLESPACE"},
      {"alter system", "ALTER SYSTEM"},
  }};
  for (const auto& [pattern, name] : kAlways) {
    if (shape.starts(pattern)) {
      return name;
    }
  }
  return {};
}

std::string_view needs_transaction(const StatementShape& shape) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kInside{{
      {"savepoint", "SAVEPOINT"},
      {"release", "RELEASE SAVEPOINT"},
      {"rollback", "ROLLBACK TO SAVEPOINT"},
      {"lock", "LOCK TABLE"},
      {"set local", "SET LOCAL"},
  }};
  for (const auto& [pattern, name] : kInside) {
    if (shape.starts(pattern)) {
      return name;
    }
  }
  return {};
}

// SET TRANSACTION ISOLATION LEVEL must precede the first query of a transaction, and the run's own queries come first.
Result<void> check_isolation(const StatementShape& shape, const SqlStatement& statement) {
  const bool sets = shape.starts("set transaction") || shape.starts("set local transaction_isolation") ||
                    shape.starts("set transaction_isolation") || shape.starts("set session transaction_isolation");
  const bool before_queries = contains_word(statement.sql, "isolation") || contains_word(statement.sql, "snapshot") ||
                              contains_word(statement.sql, "deferrable") ||
                              contains_word(statement.sql, "transaction_isolation");
  if (!sets || !before_queries) {
    return {};
  }
  return fail(refusal(
      "the isolation level must be set before the first query, but the run has already executed queries in this transaction",
      statement.line,
      "remove it, since a revision runs READ COMMITTED; or put only SET default_transaction_isolation = 'serializable' above a "
      "line '-- athanor:step transaction', and the statements that need it below"));
}

Error long_identifier(const StatementShape::LongIdentifier& found, const SqlStatement& statement) {
  std::string shown = identifier_name(found.text);
  if (shown.size() > 100) {
    std::size_t end = 100;
    while (end > 0 && (static_cast<unsigned char>(shown[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    shown.resize(end);
    shown += "…";
  }
  return refusal(
      "identifier " + shown + " is " + std::to_string(found.bytes) + " bytes long; PostgreSQL would truncate it to 63",
      statement.line + count_lines(statement.sql, found.begin), "shorten it to 63 bytes or fewer");
}

}  // namespace

Result<void> check_statement(const SqlStatement& statement, bool transactional) {
  if (statement.sql.starts_with('\\')) {
    return fail(meta_command_error(statement.sql, 0, statement.line));
  }
  const StatementShape shape(statement.sql);
  if (shape.unbalanced) {
    return fail(Error(ErrorCode::MalformedRevision, "the parentheses of the statement do not match")
                    .at(line_context(statement.line))
                    .advise("balance the parentheses, so that the end of the statement can be found"));
  }
  TRY(check_transaction_control(shape, statement.line));
  if (shape.starts("copy") && copies_client_data(statement.sql)) {
    return fail(client_copy_error(statement.line));
  }
  if (shape.unlocks_all) {
    return fail(refusal("pg_advisory_unlock_all() would release the migration lock in the middle of the run", statement.line,
                        "release locks one by one with pg_advisory_unlock(key)"));
  }
  TRY(check_byte_settings(statement));
  TRY(check_isolation(shape, statement));
  if (shape.long_identifier) {
    return fail(long_identifier(*shape.long_identifier, statement));
  }
  if (const auto name = transactional ? needs_autocommit(shape) : std::string_view(); !name.empty()) {
    return fail(refusal(std::string(name) + " cannot run inside a transaction", statement.line,
                        "put '-- athanor:step autocommit' on a line of its own above it"));
  }
  if (const auto name = transactional ? std::string_view() : needs_transaction(shape); !name.empty()) {
    return fail(refusal(std::string(name) + " has no effect in an autocommit step, where each statement is its own transaction",
                        statement.line, "put '-- athanor:step transaction' on a line of its own above it"));
  }
  return {};
}

}  // namespace athanor
