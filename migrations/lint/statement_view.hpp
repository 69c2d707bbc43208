// A statement as rules see it: parsed once, with the parts that most of them need extracted.
//
// Threads: immutable once made. Ownership: the view owns its tree; the statement's text belongs to its unit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/lint/tree_reading.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_tree.hpp"

namespace athanor {

// A column of CREATE TABLE or ADD COLUMN.
struct ColumnParts {
  std::string name;
  TypeWords type;
  TreeNode node;  // the fields of the ColumnDef
  TreeNode default_value;
  TreeNode references;  // the fields of a Constraint
  TreeNode check;
  bool not_null = false;  // NOT NULL, PRIMARY KEY or a serial
  bool primary_key = false;
  bool unique = false;
  bool identity = false;
  bool generated = false;
  // serial, bigserial or smallserial.
  [[nodiscard]] bool is_serial() const;
};
[[nodiscard]] ColumnParts column_parts(const TreeNode& definition);

// A constraint of CREATE TABLE, ALTER TABLE or ALTER DOMAIN.
struct ConstraintParts {
  std::string_view kind;  // "CONSTR_CHECK", "CONSTR_FOREIGN", …
  std::string name;
  std::vector<std::string> columns;
  QualifiedName references;
  std::vector<std::string> referenced_columns;
  std::string index;            // USING INDEX
  std::string not_null_column;  // of CHECK (column IS NOT NULL)
  bool not_valid = false;
  TreeNode node;
  [[nodiscard]] bool is(std::string_view other) const { return kind == other; }
};
[[nodiscard]] ConstraintParts constraint_parts(const TreeNode& fields);

// One action of ALTER TABLE.
struct AlterAction {
  std::string_view kind;  // "AT_AddColumn", …
  TreeNode node;          // the fields of the AlterTableCmd
  std::string name;       // of the column or constraint, as the action names it
  bool cascade = false;
};

class StatementView {
 public:
  // `text` is what is parsed; it must be as long as the statement, so that positions stay the same. If the grammar rejects it,
  // the view has no kind.
  StatementView(const SqlStatement& statement, std::string_view text);

  [[nodiscard]] const SqlStatement& statement() const { return statement_; }
  [[nodiscard]] bool parsed() const { return !kind_.empty(); }
  // "AlterTableStmt"; empty when the text could not be parsed.
  [[nodiscard]] std::string_view kind() const { return kind_; }
  [[nodiscard]] bool is(std::string_view kind) const { return kind_ == kind; }
  // The statement's fields.
  [[nodiscard]] const TreeNode& node() const { return node_; }
  // The table, index or view in the statement's field `relation`.
  [[nodiscard]] const QualifiedName& relation() const { return relation_; }
  // The actions of ALTER TABLE on a table; empty for anything else, including ALTER INDEX and ALTER VIEW.
  [[nodiscard]] const std::vector<AlterAction>& actions() const { return actions_; }
  // Columns that CREATE TABLE or ALTER TABLE adds.
  [[nodiscard]] const std::vector<ColumnParts>& new_columns() const { return new_columns_; }
  // Constraints that CREATE TABLE or ALTER TABLE adds, except column constraints.
  [[nodiscard]] const std::vector<ConstraintParts>& new_constraints() const { return new_constraints_; }
  [[nodiscard]] bool creates_table() const { return kind_ == "CreateStmt"; }
  // For example "OBJECT_TABLE", for DROP, ALTER … and RENAME.
  [[nodiscard]] std::string_view object_type() const;

 private:
  void read_elements();

  SqlStatement statement_;
  std::optional<StatementTree> tree_;
  std::string_view kind_;
  TreeNode node_;
  QualifiedName relation_;
  std::vector<AlterAction> actions_;
  std::vector<ColumnParts> new_columns_;
  std::vector<ConstraintParts> new_constraints_;
};

}  // namespace athanor
