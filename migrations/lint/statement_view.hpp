// One statement as the rules read it: parsed once, with what most of them ask for already taken apart.
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
  TreeNode node;  // the ColumnDef's fields
  TreeNode default_value;
  TreeNode references;  // a Constraint's fields
  TreeNode check;
  bool not_null = false;  // NOT NULL, PRIMARY KEY or a serial
  bool primary_key = false;
  bool unique = false;
  bool identity = false;
  bool generated = false;
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
  TreeNode node;          // the AlterTableCmd's fields
  std::string name;       // of the column or constraint, as the action names it
  bool cascade = false;
};

class StatementView {
 public:
  // `text`: what is parsed, as long as the statement, so that places in it stay. A text that the grammar does not accept makes
  // a view without a kind.
  StatementView(const SqlStatement& statement, std::string_view text);

  [[nodiscard]] const SqlStatement& statement() const { return statement_; }
  [[nodiscard]] bool parsed() const { return !kind_.empty(); }
  // "AlterTableStmt"; empty when the text could not be parsed.
  [[nodiscard]] std::string_view kind() const { return kind_; }
  [[nodiscard]] bool is(std::string_view kind) const { return kind_ == kind; }
  // The statement's fields.
  [[nodiscard]] const TreeNode& node() const { return node_; }
  // The table, index or view that the statement names in its field `relation`.
  [[nodiscard]] const QualifiedName& relation() const { return relation_; }
  // Of ALTER TABLE on a table; empty for anything else, ALTER INDEX and ALTER VIEW among them.
  [[nodiscard]] const std::vector<AlterAction>& actions() const { return actions_; }
  // Columns that CREATE TABLE or ALTER TABLE adds.
  [[nodiscard]] const std::vector<ColumnParts>& new_columns() const { return new_columns_; }
  // Constraints that CREATE TABLE or ALTER TABLE adds, apart from those of a column.
  [[nodiscard]] const std::vector<ConstraintParts>& new_constraints() const { return new_constraints_; }
  [[nodiscard]] bool creates_table() const { return kind_ == "CreateStmt"; }
  // "OBJECT_TABLE" of DROP, ALTER … and RENAME.
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
