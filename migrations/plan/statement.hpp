// Splitting SQL text into statements.
//
// It knows lexical rules only (quotes, dollar quotes, E-strings, nested comments, parentheses, BEGIN ATOMIC bodies), and so
// survives grammar newer than libpg_query. A test compares it with PostgreSQL's own scanner. Its time is linear in the text.
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
  std::string_view sql;  // without the semicolon, leading comments kept out, trailing space trimmed; points into the text
  int line = 1;          // 1-based line of the first word, counted from `first_line`
};

// Statements of `text`; empty ones (comments, lone semicolons) are left out. An unterminated quote, dollar quote or comment is
// MalformedRevision with its line. The views point into `text`.
[[nodiscard]] Result<std::vector<SqlStatement>> split_statements(std::string_view text, int first_line = 1);

// Why a statement may not stand in a revision: transaction control (its COMMIT would really commit), COPY … FROM STDIN (there
// is no stdin), psql meta-commands (named), DISCARD (drops the migration lock). Success when it may. `transactional` tells
// whether the statement stands in a transaction; CONCURRENTLY and its kin are refused there with the way out
// ("-- athanor:step autocommit").
[[nodiscard]] Result<void> check_statement(const SqlStatement& statement, bool transactional);

// What the catalog must be asked after a crash to learn whether an autocommit statement took effect.
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
    Unknown,                      // a human must say: athanor repair
  };
  // What REINDEX rebuilds.
  enum class Scope : std::uint8_t { Index, Table, Schema, Database };
  // What tells the index of a CREATE INDEX from another of the same name.
  struct IndexShape {
    bool unique = false;
    bool partial = false;
    std::string method;                // btree, gin …
    std::vector<std::string> columns;  // key columns, then included ones; empty: an expression
    std::string definition;            // the statement's text behind the table's name: "(a DESC) WHERE b > 0"
  };
  Kind kind = Kind::Unknown;
  std::string schema;  // as written, unquoted and case-folded; may be empty. Of CREATE INDEX: its table's
  std::string object;  // index, type, table or database name; empty when CREATE INDEX leaves the name to the server
  std::string value;   // enum label or partition
  // An error of the statement means that nothing of it took effect: it holds no CALL, DO or EXECUTE, which can COMMIT inside,
  // and calls no function but the server's harmless ones.
  bool all_or_nothing = false;
  bool if_not_exists = false;
  std::string table = {};         // CREATE INDEX: the table
  std::string value_schema = {};  // the partition's, as written
  Scope scope = Scope::Table;
  IndexShape index = {};
};
[[nodiscard]] RecoveryProbe recovery_probe(std::string_view sql);

// The statement, sanitised, when it takes away what no downgrade brings back, changes owners or privileges, or cannot be
// understood. Empty when it is known to be harmless. Judged on the parse tree of the statement and the code in it; the rules
// and what is not seen: docs/spec/database-migration.md.
[[nodiscard]] std::string destroyed_by(std::string_view sql);

// The statement with literals and passwords replaced ($1), for logs and reports; never longer than `limit` bytes. Text that
// cannot be parsed is reduced to its leading keywords.
[[nodiscard]] std::string sanitise_sql(std::string_view sql, std::size_t limit = 200);

}  // namespace athanor
