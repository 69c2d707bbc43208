// Reads a schema written as SQL: one file, or a folder of *.sql files in the order of their names, including subfolders.
//
// Output of other tools is accepted: pg_dump -s of any version (\restrict lines, SET lines of newer servers, CREATE SCHEMA
// public), Rails' structure.sql with its INSERTs, psql scripts that \connect. Rows (COPY … FROM stdin) and included files (\i)
// are rejected with file and line.
//
// Threads: functions without shared state that read files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::schema {

struct SchemaStatement {
  std::string_view sql;  // points into SchemaText::texts
  std::string place;     // "db/schema.sql:14"
};

// A comment `-- renamed from OLD`, or the spelling of sqldef or pistachio, beside or above what it is about.
struct RenameHint {
  std::string schema;  // as written in the statement; may be empty
  std::string table;   // the new name of the table, or of the object
  std::string column;  // the new name of the column, constraint or label; empty: the hint is about the whole
  std::string old_name;
  std::string place;
  // The qualification of the old name: "s1" of `renamed from s1.t` on a table, "s1" and "t" of `renamed from s1.t.c` on a
  // column.
  std::string old_schema{};
  std::string old_table{};
  // More text follows the old name: a sentence, or a name that needs quotes.
  bool unclear = false;
  // Columns on the line of a hint that is about the table: it may be meant for one of them.
  std::vector<std::string> columns_beside{};
  // Object: one that is no table: a view, type, domain, sequence or index.
  enum class Of { Table, Column, Constraint, Object, Label };
  Of of = Of::Table;
};

struct SchemaText {
  std::vector<std::shared_ptr<const std::string>> texts;  // one per file, in order
  std::vector<SchemaStatement> statements;
  std::vector<RenameHint> renames;
  std::string digest;  // SHA-256 of the names and texts of all files
};

// Error: DesiredSchemaFailed with file and line.
[[nodiscard]] Result<SchemaText> read_schema_files(const std::vector<std::string>& paths);
// The same for a text; `name` is the file's name, for messages.
[[nodiscard]] Result<SchemaText> parse_schema_text(std::string text, const std::string& name);

}  // namespace athanor::schema
