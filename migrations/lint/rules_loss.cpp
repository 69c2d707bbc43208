// Rules about statements that remove rows or objects.
#include <algorithm>

#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

constexpr std::string_view kApprove = "take a backup (athanor upgrade --backup), and say why: -- athanor:allow ";

std::vector<TreeNode> dropped(const StatementCheck& check, std::string_view type) {
  if (!check.view().is("DropStmt") || check.view().object_type() != type) {
    return {};
  }
  return items_of(check.view().node()["objects"]);
}

// The name in DROP TABLE, VIEW, FUNCTION, TYPE and similar statements, whose lists differ.
QualifiedName dropped_name(const TreeNode& object) {
  if (const TreeNode list = object["List"]) {
    return name_in(list["items"]);
  }
  if (const TreeNode type = object["TypeName"]) {
    return name_in(type["names"]);
  }
  if (const TreeNode function = object["ObjectWithArgs"]) {
    return name_in(function["objname"]);
  }
  return {{}, string_in(object)};
}

}  // namespace

void drop_table(StatementCheck& check) {
  for (const TreeNode& object : dropped(check, "OBJECT_TABLE")) {
    const QualifiedName table = dropped_name(object);
    check.report({.table = table,
                  .message = "the rows of " + table.sql() + " are gone, and application code that still uses the table fails",
                  .fix = std::string(kApprove) + "drop-table …"});
  }
}

void drop_schema(StatementCheck& check) {
  for (const TreeNode& object : dropped(check, "OBJECT_SCHEMA")) {
    check.report({.message = "schema " + dropped_name(object).sql() + " is gone, and with CASCADE everything in it",
                  .fix = std::string(kApprove) + "drop-schema …"});
  }
}

void drop_database(StatementCheck& check) {
  if (check.view().is("DropdbStmt")) {
    check.report(
        {.message = "database " + quote_identifier(check.view().node()["dbname"].text()) + " is gone, with all it holds",
         .fix = "leave it to the administrator of the server: a revision changes only its own database"});
  }
}

void drop_view(StatementCheck& check) {
  for (const std::string_view type : {"OBJECT_VIEW", "OBJECT_MATVIEW"}) {
    for (const TreeNode& object : dropped(check, type)) {
      const QualifiedName view = dropped_name(object);
      check.report(
          {.table = view,
           .message = "queries that read " + view.sql() + " fail, and rights granted on it are lost when it is recreated",
           .fix = type == "OBJECT_VIEW" ? "CREATE OR REPLACE VIEW, which keeps them, where columns are only added"
                                        : "create the new one under another name, and swap the names"});
    }
  }
}

void drop_function(StatementCheck& check) {
  for (const std::string_view type : {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"}) {
    for (const TreeNode& object : dropped(check, type)) {
      check.report({.message = "calls of " + dropped_name(object).sql() +
                               " fail, and rights granted on it are lost when it is recreated",
                    .fix = "CREATE OR REPLACE, which keeps them; or a new name beside the old one"});
    }
  }
}

void drop_type(StatementCheck& check) {
  for (const std::string_view type : {"OBJECT_TYPE", "OBJECT_DOMAIN"}) {
    for (const TreeNode& object : dropped(check, type)) {
      check.report(
          {.message = "code that still names type " + dropped_name(object).sql() + ", including drivers that cached it, fails",
           .fix = "drop it in a later revision than its last use"});
    }
  }
}

void drop_extension(StatementCheck& check) {
  for (const TreeNode& object : dropped(check, "OBJECT_EXTENSION")) {
    check.report({.message = "functions, types and operators of extension " + dropped_name(object).sql() +
                             " are gone, and with CASCADE every column and index that uses them",
                  .fix = std::string(kApprove) + "drop-extension …"});
  }
}

void drop_owned(StatementCheck& check) {
  if (check.view().is("DropOwnedStmt")) {
    check.report(
        {.message = "every table, view and function of this database that the role owns is gone, and every right it has",
         .fix = "REASSIGN OWNED BY … TO …, and drop by name what is not needed"});
  }
}

void drop_attribute(StatementCheck& check) {
  const StatementView& view = check.view();
  if (!view.is("AlterTableStmt") || view.object_type() != "OBJECT_TYPE") {
    return;
  }
  for (const TreeNode& item : items_of(view.node()["cmds"])) {
    const TreeNode action = item["AlterTableCmd"];
    if (action["subtype"].value() == "AT_DropColumn") {
      check.report({.message = "the values of attribute " + quote_identifier(action["name"].text()) +
                               " are gone from every column of type " + view.relation().sql(),
                    .fix = std::string(kApprove) + "drop-attribute …"});
    }
  }
}

void drop_foreign_table(StatementCheck& check) {
  for (const TreeNode& object : dropped(check, "OBJECT_FOREIGN_TABLE")) {
    const QualifiedName table = dropped_name(object);
    check.report({.table = table,
                  .message = "queries that use " + table.sql() + " fail; its rows stay where they are, its rights do not",
                  .fix = "stop using it first"});
  }
}

void drop_sequence(StatementCheck& check) {
  for (const TreeNode& object : dropped(check, "OBJECT_SEQUENCE")) {
    check.report({.message = "the current value of " + dropped_name(object).sql() +
                             " is lost: a recreated sequence returns numbers that are already used",
                  .fix = "keep it, or note its last_value and start the new one after it"});
  }
}

void truncate(StatementCheck& check) {
  if (!check.view().is("TruncateStmt")) {
    return;
  }
  for (const TreeNode& item : items_of(check.view().node()["relations"])) {
    const QualifiedName table = relation_in(item["RangeVar"]);
    check.report(
        {.table = table,
         .message = "every row of " + table.sql() + " is gone, under ACCESS EXCLUSIVE; readers of older snapshots see it empty",
         .fix = std::string(kApprove) + "truncate …"});
  }
}

void cascade(StatementCheck& check) {
  const StatementView& view = check.view();
  const TreeNode& node = view.node();
  Danger danger{.message = "CASCADE also drops everything that depends on it and is not named in the file",
                .fix = "name what to drop, each in its own statement; without CASCADE the server lists what depends on it"};
  if ((view.is("DropStmt") || view.is("TruncateStmt") || view.is("DropOwnedStmt")) &&
      node["behavior"].value() == "DROP_CASCADE") {
    if (view.is("TruncateStmt")) {
      danger.message = "CASCADE also empties every table that refers to these and is not named in the file";
    } else if (view.object_type() == "OBJECT_TABLE") {
      danger.table = dropped_name(items_of(node["objects"]).front());
    }
    check.report(danger);
  }
  for (const AlterAction& action : view.actions()) {
    if (action.cascade) {
      danger.table = view.relation();
      danger.at = action.node;
      check.report(danger);
    }
  }
}

}  // namespace athanor::rule
