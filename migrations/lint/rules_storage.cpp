// Rules about partitions, storage and server settings.
#include <algorithm>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

template <typename Visit>
void each_action(const StatementCheck& check, std::string_view kind, const Visit& visit) {
  for (const AlterAction& action : check.view().actions()) {
    if (action.kind == kind) {
      visit(action);
    }
  }
}

void report_index_move(StatementCheck& check) {
  const StatementView& view = check.view();
  const QualifiedName& name = view.relation();
  const KnownIndex* const known = check.facts().index(name);
  for (const TreeNode& item : items_of(view.node()["cmds"])) {
    const TreeNode fields = item["AlterTableCmd"];
    if (fields["subtype"].value() != "AT_SetTableSpace") {
      continue;
    }
    check.report({.table = known == nullptr ? QualifiedName() : known->table,
                  .message = "SET TABLESPACE copies all of index " + name.sql() +
                             " under ACCESS EXCLUSIVE: queries that could use it wait, whether they do or not, and writes",
                  .fix = autocommit_fix(check, "REINDEX INDEX CONCURRENTLY " + name.sql() + " (TABLESPACE " +
                                                   quote_identifier(fields["name"].text()) + ");"),
                  .at = fields});
  }
}

}  // namespace

void partition_attach(StatementCheck& check) {
  each_action(check, "AT_AttachPartition", [&](const AlterAction& action) {
    const QualifiedName& parent = check.view().relation();
    const QualifiedName child = relation_in(action.node["def"]["PartitionCmd"]["name"]);
    const KnownTable* const known = check.facts().find(child);
    const bool checked = known != nullptr && std::ranges::any_of(known->constraints, [](const auto& entry) {
                           return entry.second.kind == "CONSTR_CHECK" && entry.second.validated;
                         });
    if (checked) {
      return;
    }
    check.report({.table = child,
                  .message = "ATTACH PARTITION reads all of " + child.sql() +
                             " under ACCESS EXCLUSIVE, and a default partition of " + parent.sql() +
                             " too: their reads and writes wait",
                  .fix = stepwise_fix(check,
                                      "ALTER TABLE " + child.sql() + " ADD CONSTRAINT " + made_name(child, {}, "bound") +
                                          " CHECK (… the partition's bounds …) NOT VALID;",
                                      "ALTER TABLE " + child.sql() + " VALIDATE CONSTRAINT " + made_name(child, {}, "bound") +
                                          ";\nALTER TABLE " + parent.sql() + " ATTACH PARTITION " + child.sql() + " …;")});
  });
}

void partition_create(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.creates_table() || !view.node()["partbound"]) {
    return;
  }
  for (const TreeNode& item : items_of(view.node()["inhRelations"])) {
    const QualifiedName parent = relation_in(item["RangeVar"]);
    check.report({.table = parent,
                  .message = "PARTITION OF takes ACCESS EXCLUSIVE on " + parent.sql() +
                             " and reads its default partition: reads and writes of all partitions wait",
                  .fix = "CREATE TABLE " + view.relation().sql() + " (LIKE " + parent.sql() + " INCLUDING ALL);\nALTER TABLE " +
                         parent.sql() + " ATTACH PARTITION " + view.relation().sql() + " …;"});
  }
}

void partition_detach(StatementCheck& check) {
  each_action(check, "AT_DetachPartition", [&](const AlterAction& action) {
    if (is_set(action.node["def"]["PartitionCmd"]["concurrent"])) {
      return;
    }
    const QualifiedName& parent = check.view().relation();
    const QualifiedName child = relation_in(action.node["def"]["PartitionCmd"]["name"]);
    check.report(
        {.table = parent,
         .message = "DETACH PARTITION takes ACCESS EXCLUSIVE on " + parent.sql() + ": reads and writes of all partitions wait",
         .fix = autocommit_fix(check, "ALTER TABLE " + parent.sql() + " DETACH PARTITION " + child.sql() + " CONCURRENTLY;")});
  });
}

void set_unlogged(StatementCheck& check) {
  for (const std::string_view kind : {"AT_SetLogged", "AT_SetUnLogged"}) {
    each_action(check, kind, [&](const AlterAction& action) {
      const QualifiedName& table = check.view().relation();
      const bool logged = kind == "AT_SetLogged";
      check.report({.table = table,
                    .message = std::string(logged ? "SET LOGGED" : "SET UNLOGGED") + " rewrites all of " + table.sql() +
                               " under ACCESS EXCLUSIVE: reads and writes wait" +
                               (logged ? "" : ", and after a crash it is empty"),
                    .fix = "create a new table of that kind, copy the rows in batches, and swap the names",
                    .at = action.node});
    });
  }
}

void set_tablespace(StatementCheck& check) {
  each_action(check, "AT_SetTableSpace", [&](const AlterAction& action) {
    const QualifiedName& table = check.view().relation();
    check.report({.table = table,
                  .message = "SET TABLESPACE copies all of " + table.sql() + " under ACCESS EXCLUSIVE: reads and writes wait",
                  .fix = "use pg_repack --tablespace, which takes that lock for a moment only",
                  .at = action.node});
  });
  const StatementView& view = check.view();
  if (view.is("AlterTableMoveAllStmt")) {
    const bool indexes = view.object_type() == "OBJECT_INDEX";
    check.report({.message = std::string("SET TABLESPACE copies every ") +
                             (indexes ? "index of the tablespace in full: ACCESS EXCLUSIVE on each of them, until the last is "
                                        "copied"
                                      : "table of the tablespace in full: ACCESS EXCLUSIVE on each of them, until the last is "
                                        "copied"),
                  .fix = indexes ? "REINDEX INDEX CONCURRENTLY (TABLESPACE …), one by one"
                                 : "use pg_repack --tablespace, table by table"});
  }
  if (view.is("AlterTableStmt") && view.object_type() == "OBJECT_INDEX") {
    report_index_move(check);
  }
}

void set_access_method(StatementCheck& check) {
  each_action(check, "AT_SetAccessMethod", [&](const AlterAction& action) {
    const QualifiedName& table = check.view().relation();
    check.report(
        {.table = table,
         .message = "SET ACCESS METHOD rewrites all of " + table.sql() + " under ACCESS EXCLUSIVE: reads and writes wait",
         .fix = "create a new table with that access method, copy the rows in batches, and swap the names",
         .at = action.node});
  });
}

void server_settings(StatementCheck& check) {
  const StatementView& view = check.view();
  const bool system = view.is("AlterSystemStmt");
  if (!system && !view.is("AlterDatabaseSetStmt") && !view.is("AlterRoleSetStmt")) {
    return;
  }
  check.report(
      {.message = system ? "ALTER SYSTEM changes every database of the server, after the next reload"
                         : "the setting holds for every new session, the application's too, and is in no dump of the schema",
       .fix = "keep such settings in the server configuration, not in revisions"});
}

}  // namespace athanor::rule
