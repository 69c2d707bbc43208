// Rules about indexes, and about other statements that rewrite or rebuild a whole relation.
#include <algorithm>
#include <array>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

bool is_concurrent(const StatementView& view) {
  return is_set(view.node()["concurrent"]);
}

// "CREATE UNIQUE INDEX CONCURRENTLY name ON t (a, …)", without expressions and conditions, which the author must add.
std::string index_sql(const StatementView& view, std::string_view concurrently) {
  const TreeNode& node = view.node();
  std::string sql = is_set(node["unique"]) ? "CREATE UNIQUE INDEX " : "CREATE INDEX ";
  sql += concurrently;
  const std::string name = node["idxname"].text();
  sql += name.empty() ? "" : quote_identifier(name) + " ";
  sql += "ON " + view.relation().sql();
  if (node["accessMethod"] && node["accessMethod"].value() != "btree") {
    sql += " USING " + quote_identifier(node["accessMethod"].text());
  }
  std::string columns;
  for (const TreeNode& item : items_of(node["indexParams"])) {
    const std::string column = item["IndexElem"]["name"].text();
    columns += (columns.empty() ? "" : ", ") + (column.empty() ? "…" : quote_identifier(column));
  }
  sql += " (" + columns + ")";
  return sql + (node["whereClause"] ? " WHERE …;" : ";");
}

bool is_partitioned(const StatementCheck& check, const QualifiedName& table) {
  const KnownTable* const facts = check.facts().find(table);
  return facts != nullptr && facts->partitioned;
}

bool is_only(const StatementView& view) {
  return !is_set(view.node()["relation"]["inh"]);
}

// The statement's name if the server refuses it in a transaction block; empty otherwise.
std::string_view never_in_transaction(const StatementView& view) {
  const TreeNode& node = view.node();
  if (view.is("IndexStmt") && is_concurrent(view)) {
    return "CREATE INDEX CONCURRENTLY";
  }
  if (view.is("DropStmt") && is_concurrent(view)) {
    return "DROP INDEX CONCURRENTLY";
  }
  if (view.is("ReindexStmt")) {
    constexpr std::array<std::string_view, 3> kMany{"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM",
                                                    "REINDEX_OBJECT_DATABASE"};
    const bool many = std::ranges::find(kMany, node["kind"].value()) != kMany.end();
    return option_is_on(node["params"], "concurrently") ? "REINDEX CONCURRENTLY"
           : many                                       ? "REINDEX of a schema or database"
                                                        : "";
  }
  if (view.is("VacuumStmt")) {
    return is_set(node["is_vacuumcmd"]) ? "VACUUM" : "";
  }
  if (view.is("ClusterStmt")) {
    return node["relation"] ? "" : "CLUSTER of every table";
  }
  for (const AlterAction& action : view.actions()) {
    if (action.kind == "AT_DetachPartition" && is_set(action.node["def"]["PartitionCmd"]["concurrent"])) {
      return "DETACH PARTITION CONCURRENTLY";
    }
  }
  struct Kind {
    std::string_view kind;
    std::string_view name;
  };
  constexpr std::array kKinds{Kind{"CreatedbStmt", "CREATE DATABASE"}, Kind{"DropdbStmt", "DROP DATABASE"},
                              Kind{"CreateTableSpaceStmt", "CREATE TABLESPACE"}, Kind{"DropTableSpaceStmt", "DROP TABLESPACE"},
                              Kind{"AlterSystemStmt", "ALTER SYSTEM"}};
  const auto found = std::ranges::find(kKinds, view.kind(), &Kind::kind);
  return found == kKinds.end() ? "" : found->name;
}

}  // namespace

void index_create(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("IndexStmt") || is_concurrent(view) || is_only(view) || is_partitioned(check, view.relation())) {
    return;
  }
  check.report({.table = view.relation(),
                .message = "CREATE INDEX holds SHARE on " + view.relation().sql() + " until the index is built: writes wait",
                .fix = autocommit_fix(check, index_sql(view, "CONCURRENTLY "))});
}

void index_drop(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("DropStmt") || view.object_type() != "OBJECT_INDEX" || is_concurrent(view)) {
    return;
  }
  for (const TreeNode& object : items_of(view.node()["objects"])) {
    const QualifiedName name = name_in(object["List"]["items"]);
    const KnownIndex* const index = check.facts().index(name);
    const bool partitioned = index != nullptr && is_partitioned(check, index->table);
    check.report({.table = index == nullptr ? QualifiedName() : index->table,
                  .message = "DROP INDEX takes ACCESS EXCLUSIVE on the table of " + name.sql() +
                             ": while it waits for running queries, every new one waits behind it",
                  .fix = partitioned ? "set lock_timeout: an index of a partitioned table cannot be dropped CONCURRENTLY"
                                     : autocommit_fix(check, "DROP INDEX CONCURRENTLY " + name.sql() + ";")});
  }
}

void index_duplicate(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("IndexStmt") || view.node()["whereClause"] || is_set(view.node()["unique"])) {
    return;
  }
  std::vector<std::string> columns;
  for (const TreeNode& item : items_of(view.node()["indexParams"])) {
    columns.push_back(item["IndexElem"]["name"].text());
  }
  if (std::ranges::find(columns, "") != columns.end() || view.node()["accessMethod"].value() != "btree") {
    return;
  }
  for (const QualifiedName& name : check.facts().indexes_on(view.relation(), columns)) {
    if (!check.facts().index(name)->partial && name.name != view.node()["idxname"].text()) {
      check.report({.table = view.relation(),
                    .message = "index " + name.sql() + " has the same columns (" + column_list(columns) +
                               "): a second one costs every write and helps no query",
                    .fix = "leave it out, or drop " + name.sql() + " once this one is there"});
      return;
    }
  }
}

void index_partitioned(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("IndexStmt") || is_only(view) || !is_partitioned(check, view.relation())) {
    return;
  }
  const std::string name = view.node()["idxname"].text();
  std::string only = index_sql(view, "");
  const std::string on = "ON " + view.relation().sql();
  if (const auto place = only.find(on); place != std::string::npos) {
    only.replace(place, 3, "ON ONLY ");
  }
  check.report(
      {.table = view.relation(),
       .message = "CREATE INDEX on a partitioned table holds SHARE on every partition until all are built: writes wait",
       .fix = only +
              "\n-- then for each partition, in a step of its own outside a transaction:\n"
              "CREATE INDEX CONCURRENTLY part_idx ON part (…);\nALTER INDEX " +
              (name.empty() ? std::string("parent_idx") : quote_identifier(name)) + " ATTACH PARTITION part_idx;"});
}

void index_unnamed(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("IndexStmt") || !is_concurrent(view) || view.node()["idxname"]) {
    return;
  }
  check.report(
      {.table = view.relation(),
       .message = "the index has no name: after an interrupted run nobody can tell an INVALID leftover from another "
                  "index, and a second run builds a second one",
       .fix = "CREATE INDEX CONCURRENTLY " + made_name(view.relation(), {}, "idx") + " ON " + view.relation().sql() + " (…);"});
}

void reindex(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("ReindexStmt") || option_is_on(view.node()["params"], "concurrently")) {
    return;
  }
  const std::string_view kind = view.node()["kind"].value();
  if (kind == "REINDEX_OBJECT_SYSTEM") {
    return;
  }
  const bool named = kind == "REINDEX_OBJECT_INDEX" || kind == "REINDEX_OBJECT_TABLE";
  const std::string word = kind == "REINDEX_OBJECT_INDEX"    ? "INDEX "
                           : kind == "REINDEX_OBJECT_TABLE"  ? "TABLE "
                           : kind == "REINDEX_OBJECT_SCHEMA" ? "SCHEMA "
                                                             : "DATABASE ";
  const std::string name = named ? view.relation().sql() : quote_identifier(view.node()["name"].text());
  const KnownIndex* const index = check.facts().index(view.relation());
  check.report({.table = kind == "REINDEX_OBJECT_TABLE" ? view.relation()
                         : index != nullptr             ? index->table
                                                        : QualifiedName(),
                .message =
                    "REINDEX holds SHARE on the table and ACCESS EXCLUSIVE on the index until it is rebuilt: writes wait, "
                    "and so do queries that plan with the index",
                .fix = autocommit_fix(check, "REINDEX " + word + "CONCURRENTLY " + name + ";")});
}

void cic_if_not_exists(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("IndexStmt") || !is_concurrent(view) || !is_set(view.node()["if_not_exists"])) {
    return;
  }
  const QualifiedName index{view.relation().schema, view.node()["idxname"].text()};
  check.report({.table = view.relation(),
                .message = "IF NOT EXISTS silently keeps an INVALID index that a failed build left behind",
                .fix = "DROP INDEX CONCURRENTLY IF EXISTS " + index.sql() + ";\n" + index_sql(view, "CONCURRENTLY ")});
}

void concurrent_in_transaction(StatementCheck& check) {
  const std::string_view what = never_in_transaction(check.view());
  if (what.empty() || !check.in_transaction()) {
    return;
  }
  check.report({.message = std::string(what) + " fails inside a transaction block",
                .fix = check.unit().plain ? "run it outside of BEGIN and COMMIT, in a file of its own"
                                          : "put '-- athanor:step autocommit' on a line of its own above it"});
}

void matview_refresh(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("RefreshMatViewStmt") || is_concurrent(view)) {
    return;
  }
  check.report(
      {.table = view.relation(),
       .message =
           "REFRESH holds ACCESS EXCLUSIVE on " + view.relation().sql() + " while its query runs: nobody can read it meanwhile",
       .fix = "REFRESH MATERIALIZED VIEW CONCURRENTLY " + view.relation().sql() + ";  -- needs a unique index on its columns"});
}

void cluster_or_vacuum_full(StatementCheck& check) {
  const StatementView& view = check.view();
  if (view.is("ClusterStmt")) {
    check.report({.table = view.relation(),
                  .message = "CLUSTER rewrites the whole table under ACCESS EXCLUSIVE: reads and writes wait",
                  .fix = "use pg_repack, which takes that lock for a moment only"});
    return;
  }
  if (!view.is("VacuumStmt") || !option_is_on(view.node()["options"], "full")) {
    return;
  }
  const auto tables = items_of(view.node()["rels"]);
  Danger danger{.message = "VACUUM FULL rewrites the whole table under ACCESS EXCLUSIVE: reads and writes wait",
                .fix = "use pg_repack, or plain VACUUM, which leaves the space to the table"};
  if (tables.empty()) {
    check.report(danger);
  }
  for (const TreeNode& table : tables) {
    danger.table = relation_in(table["VacuumRelation"]["relation"]);
    check.report(danger);
  }
}

std::string autocommit_fix(const StatementCheck& check, const std::string& sql) {
  return check.unit().plain || check.step() == StepKind::Autocommit ? sql : "-- athanor:step autocommit\n" + sql;
}

std::string stepwise_fix(const StatementCheck& check, const std::string& first, const std::string& second) {
  return first + (check.unit().plain ? "\n-- in a later transaction:\n" : "\n-- athanor:step transaction\n") + second;
}

std::string made_name(const QualifiedName& table, const std::vector<std::string>& columns, std::string_view suffix) {
  constexpr std::size_t kLongest = 63;
  std::string name = table.name;
  for (const std::string& column : columns) {
    name += "_" + column;
  }
  name = name.substr(0, kLongest - suffix.size() - 1);
  return quote_identifier(name + "_" + std::string(suffix));
}

std::optional<Severity> milder_with_lock_timeout(StatementCheck& check) {
  return check.session().lock_timeout ? std::optional(Severity::Info) : std::nullopt;
}

}  // namespace athanor::rule
