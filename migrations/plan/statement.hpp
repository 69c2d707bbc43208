// Splits SQL text into statements, checks them, and classifies them.
//
// The splitter knows only lexical rules (quotes, dollar quotes, E-strings, nested comments, parentheses, BEGIN ATOMIC bodies),
// so it also works for grammar newer than libpg_query. A test compares it with PostgreSQL's own scanner. Linear time.
//
// Threads: safe from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

struct SqlStatement {
  std::string_view sql;  // without semicolon, leading comments and trailing space; points into the text
  int line = 1;          // 1-based line of the first word, counted from `first_line`
};

// The statements of `text`, without empty ones (comments, lone semicolons). Error: MalformedRevision, with the line, for an
// unterminated quote, dollar quote or comment. The views point into `text`.
[[nodiscard]] Result<std::vector<SqlStatement>> split_statements(std::string_view text, int first_line = 1);

// Refuses statements that a revision must not contain: transaction control (its COMMIT would really commit), COPY … FROM STDIN
// (there is no stdin), psql meta-commands (the error names them), DISCARD (it releases the migration lock). `transactional`:
// the statement runs in a transaction; then CONCURRENTLY and similar statements are refused with a hint at "-- athanor:step
// autocommit".
[[nodiscard]] Result<void> check_statement(const SqlStatement& statement, bool transactional);

// What to check in the catalog after a crash, to learn whether an autocommit statement took effect.
struct RecoveryProbe {
  enum class Kind : std::uint8_t {
    CreateIndexConcurrently,      // valid: done; invalid: drop concurrently, run again; absent: run again
    DropIndexConcurrently,        // absent: done; else run again
    ReindexConcurrently,          // leftover invalid *_ccnew/_ccold are dropped, then run again
    AddEnumValue,                 // value present: done
    DetachPartitionConcurrently,  // pending: FINALIZE; detached: done
    Repeatable,                   // VACUUM, ANALYZE, REFRESH …, VALIDATE CONSTRAINT, ALTER SYSTEM: run again
    CreateDatabase,               // present: done
    DropDatabase,                 // absent: done
    Unknown,                      // a user must decide: athanor repair
  };
  // The scope of REINDEX.
  enum class Scope : std::uint8_t { Index, Table, Schema, Database };
  // Distinguishes the index of a CREATE INDEX from another of the same name.
  struct IndexShape {
    bool unique = false;
    bool partial = false;
    std::string method;                // btree, gin …
    std::vector<std::string> columns;  // key columns, then included ones; empty: an expression
    std::string definition;            // the statement's text after the table's name: "(a DESC) WHERE b > 0"
  };
  Kind kind = Kind::Unknown;
  std::string schema;  // as written, unquoted and case-folded; may be empty. For CREATE INDEX: the table's
  std::string object;  // index, type, table or database name; empty when CREATE INDEX leaves the name to the server
  std::string value;   // enum label or partition
  // If the statement fails, none of it took effect: it contains no CALL, DO or EXECUTE, which can COMMIT, and calls only
  // harmless functions of the server.
  bool all_or_nothing = false;
  bool if_not_exists = false;
  std::string table = {};         // CREATE INDEX: the table
  std::string value_schema = {};  // the partition's schema, as written
  Scope scope = Scope::Table;
  IndexShape index = {};
};
// Unknown for a statement that the parser rejects or that is too large to parse.
[[nodiscard]] RecoveryProbe recovery_probe(std::string_view sql);

// Returns the sanitised statement if it destroys what no downgrade can restore, changes owners or privileges, or cannot be
// understood. Empty if it is known to be harmless. Decides by the parse tree of the statement and the code in it;
// docs/spec/database-migration.md lists the rules and their limits.
[[nodiscard]] std::string destroyed_by(std::string_view sql);

// The statement with literals and passwords replaced ($1), for logs and reports; at most `limit` bytes. Text that cannot be
// parsed is reduced to its leading keywords.
[[nodiscard]] std::string sanitise_sql(std::string_view sql, std::size_t limit = 200);

}  // namespace athanor
