#include "migrations/lint/statement_view.hpp"

#include <algorithm>
#include <array>

namespace athanor {
namespace {

constexpr std::array<std::string_view, 6> kSerials{"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"};

// The column in CHECK (column IS NOT NULL); empty for any other expression.
std::string column_not_null(const TreeNode& expression) {
  const TreeNode test = expression["NullTest"];
  if (!test || test["nulltesttype"].value() != "IS_NOT_NULL") {
    return {};
  }
  const auto fields = items_of(test["arg"]["ColumnRef"]["fields"]);
  return fields.size() == 1 ? string_in(fields.front()) : std::string();
}

void take_column_constraint(ColumnParts& column, const TreeNode& constraint) {
  const std::string_view kind = constraint["contype"].value();
  if (kind == "CONSTR_NOTNULL") {
    column.not_null = true;
  } else if (kind == "CONSTR_DEFAULT") {
    column.default_value = constraint["raw_expr"];
  } else if (kind == "CONSTR_PRIMARY") {
    column.primary_key = true;
    column.not_null = true;
  } else if (kind == "CONSTR_UNIQUE") {
    column.unique = true;
  } else if (kind == "CONSTR_CHECK") {
    column.check = constraint;
  } else if (kind == "CONSTR_FOREIGN") {
    column.references = constraint;
  } else if (kind == "CONSTR_IDENTITY") {
    column.identity = true;
    column.not_null = true;
  } else if (kind == "CONSTR_GENERATED") {
    column.generated = true;
  }
}

}  // namespace

bool ColumnParts::is_serial() const {
  return type.schema.empty() && std::ranges::find(kSerials, type.name) != kSerials.end();
}

ColumnParts column_parts(const TreeNode& definition) {
  ColumnParts column;
  column.node = definition;
  column.name = definition["colname"].text();
  column.type = type_in(definition["typeName"]);
  for (const TreeNode& item : items_of(definition["constraints"])) {
    take_column_constraint(column, item["Constraint"]);
  }
  column.not_null = column.not_null || column.is_serial();
  return column;
}

ConstraintParts constraint_parts(const TreeNode& fields) {
  ConstraintParts parts;
  parts.node = fields;
  parts.kind = fields["contype"].value();
  parts.name = fields["conname"].text();
  parts.columns = strings_in(parts.is("CONSTR_FOREIGN") ? fields["fk_attrs"] : fields["keys"]);
  parts.references = relation_in(fields["pktable"]);
  parts.referenced_columns = strings_in(fields["pk_attrs"]);
  parts.index = fields["indexname"].text();
  parts.not_valid = is_set(fields["skip_validation"]);
  if (parts.is("CONSTR_CHECK")) {
    parts.not_null_column = column_not_null(fields["raw_expr"]);
  }
  return parts;
}

StatementView::StatementView(const SqlStatement& statement, std::string_view text)
    : statement_(statement), tree_(StatementTree::of_sql(text)) {
  if (!tree_) {
    return;
  }
  const TreeNode raw = tree_->root()["stmts"].first()["stmt"];
  if (!raw) {
    return;
  }
  node_ = raw.first();
  kind_ = node_.key();
  relation_ = relation_in(is("CreatePolicyStmt") || is("AlterPolicyStmt") ? node_["table"] : node_["relation"]);
  read_elements();
}

void StatementView::read_elements() {
  if (creates_table()) {
    for (const TreeNode& element : items_of(node_["tableElts"])) {
      if (const TreeNode column = element["ColumnDef"]) {
        new_columns_.push_back(column_parts(column));
      } else if (const TreeNode constraint = element["Constraint"]) {
        new_constraints_.push_back(constraint_parts(constraint));
      }
    }
    return;
  }
  if (!is("AlterTableStmt") || object_type() != "OBJECT_TABLE") {
    return;
  }
  for (const TreeNode& item : items_of(node_["cmds"])) {
    const TreeNode fields = item["AlterTableCmd"];
    AlterAction action{fields["subtype"].value(), fields, fields["name"].text(), fields["behavior"].value() == "DROP_CASCADE"};
    if (action.kind == "AT_AddColumn") {
      new_columns_.push_back(column_parts(fields["def"]["ColumnDef"]));
      action.name = new_columns_.back().name;
    } else if (action.kind == "AT_AddConstraint") {
      new_constraints_.push_back(constraint_parts(fields["def"]["Constraint"]));
      action.name = new_constraints_.back().name;
    }
    actions_.push_back(std::move(action));
  }
}

std::string_view StatementView::object_type() const {
  for (const std::string_view field : {"objtype", "removeType", "renameType", "objectType"}) {
    if (const TreeNode type = node_[field]) {
      return type.value();
    }
  }
  return {};
}

}  // namespace athanor
