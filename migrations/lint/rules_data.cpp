// Rules about rows that a revision writes.
#include <algorithm>
#include <array>

#include "migrations/lint/rules.hpp"
#include "migrations/plan/row_condition.hpp"

namespace athanor::rule {
namespace {

// An UPDATE, DELETE or MERGE of existing rows, at any depth of the statement: a data-modifying CTE runs like any other.
struct RowChange {
  std::string_view kind;  // "UpdateStmt", …
  TreeNode node;
  QualifiedName table;
  TreeNode at;  // its position, if it is part of the statement
  [[nodiscard]] std::string verb() const { return kind == "UpdateStmt" ? "UPDATE" : kind == "DeleteStmt" ? "DELETE" : "MERGE"; }
};

// Statements that execute the DML inside them. CREATE FUNCTION, CREATE RULE and PREPARE only store it.
bool runs_its_parts(const StatementView& view) {
  constexpr std::array<std::string_view, 7> kRun{"SelectStmt", "InsertStmt",        "UpdateStmt", "DeleteStmt",
                                                 "MergeStmt",  "CreateTableAsStmt", "CopyStmt"};
  return std::ranges::find(kRun, view.kind()) != kRun.end() ||
         (view.is("ExplainStmt") && option_is_on(view.node()["options"], "analyze"));
}

// Whether the MERGE has a clause that changes rows of the target.
bool changes_matches(const TreeNode& merge) {
  return std::ranges::any_of(items_of(merge["mergeWhenClauses"]), [](const TreeNode& item) {
    const std::string_view command = item["MergeWhenClause"]["commandType"].value();
    return command == "CMD_UPDATE" || command == "CMD_DELETE";
  });
}

std::vector<RowChange> row_changes(const StatementView& view) {
  std::vector<RowChange> changes;
  const auto take = [&](const TreeNode& node, std::string_view kind, const TreeNode& at) {
    if (kind == "UpdateStmt" || kind == "DeleteStmt" || (kind == "MergeStmt" && changes_matches(node))) {
      changes.push_back({kind, node, relation_in(node["relation"]), at});
    }
  };
  if (runs_its_parts(view)) {
    const TreeNode& root = view.node();
    take(root, view.kind(), {});
    for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
      take(root.at(index), root.at(index).key(), root.at(index)["relation"]);
    }
  }
  return changes;
}

std::string alias_of(const TreeNode& relation) {
  const TreeNode alias = relation["alias"]["aliasname"];
  return alias ? alias.text() : relation["relname"].text();
}

// column = constant, alone or in a conjunction: usually selects only a few rows.
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

// Whether `limits` is true for the condition of every clause of MERGE that changes rows.
bool clauses_limit(const TreeNode& merge, auto limits) {
  return std::ranges::all_of(items_of(merge["mergeWhenClauses"]), [&](const TreeNode& item) {
    const TreeNode clause = item["MergeWhenClause"];
    const std::string_view command = clause["commandType"].value();
    return (command != "CMD_UPDATE" && command != "CMD_DELETE") || (clause["condition"] && limits(clause["condition"]));
  });
}

bool reaches_few(const RowChange& change) {
  if (change.kind != "MergeStmt") {
    return is_pointed(change.node["whereClause"]);
  }
  const TreeNode source = change.node["sourceRelation"]["RangeSubselect"]["subquery"]["SelectStmt"];
  return source["valuesLists"] || is_pointed(change.node["joinCondition"]) || clauses_limit(change.node, is_pointed);
}

bool leaves_rows_out(const RowChange& change) {
  const std::string alias = alias_of(change.node["relation"]);
  const auto limits = [&](const TreeNode& condition) { return limits_rows(condition, alias); };
  if (change.kind == "MergeStmt") {
    return limits(change.node["joinCondition"]) || clauses_limit(change.node, limits);
  }
  return change.node["whereClause"] && limits(change.node["whereClause"]);
}

// The tables that INSERT … SELECT copies completely, without WHERE or LIMIT.
std::vector<QualifiedName> copied_whole(const StatementView& view) {
  std::vector<QualifiedName> tables;
  const TreeNode query = view.is("InsertStmt") ? view.node()["selectStmt"]["SelectStmt"] : TreeNode();
  if (!query["fromClause"] || query["whereClause"] || query["limitCount"]) {
    return tables;
  }
  std::vector<std::string> own;  // names of CTEs
  for (const TreeNode& with : {view.node()["withClause"], query["withClause"]}) {
    for (const TreeNode& item : items_of(with["ctes"])) {
      own.push_back(item["CommonTableExpr"]["ctename"].text());
    }
  }
  const TreeNode from = query["fromClause"];
  for (std::uint32_t index = from.begin(); index < from.end(); ++index) {
    const TreeNode node = from.at(index);
    if (node.key() == "SubLink" || node.key() == "RangeSubselect" || node.key() == "RangeFunction") {
      return {};  // a subquery or function: what it lets through is not known
    }
    const QualifiedName table = node.key() == "RangeVar" ? relation_in(node) : QualifiedName();
    if (!table.empty() && !(table.schema.empty() && std::ranges::find(own, table.name) != own.end())) {
      tables.push_back(table);
    }
  }
  return tables;
}

// A statement that writes many rows of a table older than the revision.
struct ManyRows {
  std::string words;    // "UPDATE"
  QualifiedName table;  // the table of these rows; for INSERT, the one that they are read from
  TreeNode at;
  bool added = false;
};
std::vector<ManyRows> many_rows(const StatementCheck& check) {
  std::vector<ManyRows> found;
  if (check.step() == StepKind::Batch) {
    return found;
  }
  for (const RowChange& change : row_changes(check.view())) {
    if (!check.is_new(change.table) && !reaches_few(change)) {
      found.push_back({change.verb(), change.table, change.at, false});
    }
  }
  for (const QualifiedName& source : copied_whole(check.view())) {
    if (!check.is_new(check.view().relation())) {
      found.push_back({"INSERT of all rows of " + source.sql(), source, {}, true});
    }
  }
  return found;
}

std::string batches(const StatementCheck& check, const QualifiedName& table) {
  return check.unit().plain ? "run it in batches over the primary key, each in a transaction of its own"
                            : "-- athanor:step batch table=" + table.sql() + " key=… size=5000\n… WHERE … AND {batch};";
}

}  // namespace

void dml_without_where(StatementCheck& check) {
  if (check.step() == StepKind::Batch) {
    return;
  }
  for (const RowChange& change : row_changes(check.view())) {
    if (leaves_rows_out(change)) {
      continue;
    }
    const bool condition = change.kind == "MergeStmt" || change.node["whereClause"];
    check.report(
        {.table = change.table,
         .message = change.verb() + std::string(condition ? " with a condition that may exclude no row" : " without WHERE") +
                    " affects every row of " + change.table.sql(),
         .fix = change.kind == "MergeStmt" ? "add a condition to ON, or to WHEN MATCHED AND …" : "add a condition with WHERE",
         .at = change.at});
  }
}

void backfill_in_ddl_transaction(StatementCheck& check) {
  if (!check.in_transaction() || !check.transaction().schema_changed) {
    return;
  }
  for (const ManyRows& rows : many_rows(check)) {
    check.report({.table = rows.table,
                  .message = rows.words +
                             " in the transaction of a schema change holds that change's locks until the last row is written" +
                             (rows.added ? "" : ", and leaves as many dead rows"),
                  .fix = batches(check, rows.table),
                  .at = rows.at});
  }
}

void backfill_unbatched(StatementCheck& check) {
  if (check.in_transaction() && check.transaction().schema_changed) {
    return;
  }
  for (const ManyRows& rows : many_rows(check)) {
    check.report({.table = rows.table,
                  .message = rows.added
                                 ? rows.words + " in one transaction holds back vacuum and replicas until its end"
                                 : rows.words + " of many rows in one transaction keeps them locked to its end, and holds "
                                                "back vacuum and replicas",
                  .fix = batches(check, rows.table),
                  .at = rows.at});
  }
}

}  // namespace athanor::rule
