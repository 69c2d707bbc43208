// Rows that a revision writes.
#include <algorithm>

#include "migrations/lint/rules.hpp"
#include "migrations/plan/row_condition.hpp"

namespace athanor::rule {
namespace {

std::string alias_of(const TreeNode& relation) {
  const TreeNode alias = relation["alias"]["aliasname"];
  return alias ? alias.text() : relation["relname"].text();
}

// UPDATE or DELETE of a table that was there before.
bool changes_old_rows(const StatementCheck& check) {
  const StatementView& view = check.view();
  return (view.is("UpdateStmt") || view.is("DeleteStmt")) && !check.is_new(view.relation());
}

// column = constant, alone or in an AND: a few rows at most, as a rule.
bool is_pointed(const TreeNode& condition) {
  const TreeNode comparison = condition["A_Expr"];
  if (comparison) {
    const bool equal = name_in(comparison["name"]).name == "=" && comparison["kind"].value() == "AEXPR_OP";
    const auto is_constant = [](const TreeNode& side) { return side["A_Const"] || side["TypeCast"]["arg"]["A_Const"]; };
    const TreeNode left = comparison["lexpr"];
    const TreeNode right = comparison["rexpr"];
    return equal && ((left["ColumnRef"] && is_constant(right)) || (right["ColumnRef"] && is_constant(left)));
  }
  const TreeNode both = condition["BoolExpr"];
  if (!both || both["boolop"].value() != "AND_EXPR") {
    return false;
  }
  return std::ranges::any_of(items_of(both["args"]), is_pointed);
}

std::string batches(const StatementCheck& check) {
  const QualifiedName& table = check.view().relation();
  return check.unit().plain ? "run it in batches over the primary key, each in a transaction of its own"
                            : "-- athanor:step batch table=" + table.sql() + " key=… size=5000\n… WHERE … AND {batch};";
}

std::string verb(const StatementCheck& check) {
  return check.view().is("UpdateStmt") ? "UPDATE" : "DELETE";
}

}  // namespace

void dml_without_where(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("UpdateStmt") && !view.is("DeleteStmt")) {
    return;
  }
  const TreeNode condition = view.node()["whereClause"];
  if (check.step() == StepKind::Batch || (condition && limits_rows(condition, alias_of(view.node()["relation"])))) {
    return;
  }
  check.report({.table = view.relation(),
                .message = verb(check) +
                           (condition ? " whose condition is not certain to leave any row out" : " without WHERE") +
                           " reaches every row of " + view.relation().sql(),
                .fix = "say which rows in WHERE"});
}

void backfill_in_ddl_transaction(StatementCheck& check) {
  if (!changes_old_rows(check) || !check.in_transaction() || check.step() == StepKind::Batch ||
      !check.transaction().schema_changed || is_pointed(check.view().node()["whereClause"])) {
    return;
  }
  check.report({.table = check.view().relation(),
                .message = verb(check) +
                           " in the transaction of a schema change holds that change's locks until the last row is "
                           "written, and leaves as many dead rows",
                .fix = batches(check)});
}

void backfill_unbatched(StatementCheck& check) {
  if (!changes_old_rows(check) || check.step() == StepKind::Batch ||
      (check.in_transaction() && check.transaction().schema_changed) || is_pointed(check.view().node()["whereClause"])) {
    return;
  }
  check.report({.table = check.view().relation(),
                .message = verb(check) +
                           " of many rows in one transaction keeps them locked to its end, and holds back vacuum and "
                           "replicas",
                .fix = batches(check)});
}

}  // namespace athanor::rule
