// Rules about names that the running application still uses.
#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

bool renames(const StatementCheck& check, std::string_view type) {
  return check.view().is("RenameStmt") && check.view().object_type() == type;
}

std::string new_name(const StatementCheck& check) {
  return quote_identifier(check.view().node()["newname"].text());
}

}  // namespace

void rename_column(StatementCheck& check) {
  if (!renames(check, "OBJECT_COLUMN")) {
    return;
  }
  const QualifiedName& table = check.view().relation();
  const std::string old = quote_identifier(check.view().node()["subname"].text());
  check.report(
      {.table = table,
       .message = "application code that still uses " + table.sql() + "." + old + " fails from the commit on",
       .fix = "add " + new_name(check) + " beside it, keep both filled by a trigger, move the code over, then drop " + old});
}

void rename_table(StatementCheck& check) {
  const bool view = renames(check, "OBJECT_VIEW") || renames(check, "OBJECT_MATVIEW");
  if (!renames(check, "OBJECT_TABLE") && !view) {
    return;
  }
  const QualifiedName& table = check.view().relation();
  if (check.facts().index(table) != nullptr) {  // ALTER TABLE renames an index, too
    return;
  }
  check.report({.table = table,
                .message = "application code that still uses " + table.sql() + " fails from the commit on",
                .fix = "in the same transaction: CREATE VIEW " + table.sql() + " AS SELECT * FROM " + new_name(check) +
                       ";  -- drop it when no code uses the old name"});
}

void rename_attribute(StatementCheck& check) {
  if (!renames(check, "OBJECT_ATTRIBUTE")) {
    return;
  }
  const std::string old = quote_identifier(check.view().node()["subname"].text());
  check.report({.message = "application code and functions that still say " + old + " of type " +
                           check.view().relation().sql() + " fail from the commit on",
                .fix = "ALTER TYPE … ADD ATTRIBUTE " + new_name(check) + " beside it, move the code over, then drop " + old});
}

void rename_enum_value(StatementCheck& check) {
  const TreeNode& node = check.view().node();
  if (check.view().is("AlterEnumStmt") && node["oldVal"]) {
    check.report({.message = "application code that still sends or expects the old value of enum " +
                             name_in(node["typeName"]).sql() + " fails from the commit on",
                  .fix = "add a new value, move code and rows over, and leave the old one"});
  }
}

void rename_schema(StatementCheck& check) {
  if (!renames(check, "OBJECT_SCHEMA")) {
    return;
  }
  check.report({.message = "application code and search_paths that still use " +
                           quote_identifier(check.view().node()["subname"].text()) + " fail from the commit on",
                .fix = "create the new schema, with views of the old names where they are needed"});
}

void rename_function(StatementCheck& check) {
  for (const std::string_view type : {"OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE", "OBJECT_AGGREGATE"}) {
    if (renames(check, type)) {
      const std::string old = name_in(check.view().node()["object"]["ObjectWithArgs"]["objname"]).sql();
      check.report(
          {.message = "application code, and SQL in other functions, that still calls " + old + " fails from the commit on",
           .fix = "create " + new_name(check) + " beside it, and drop " + old + " when nothing calls it"});
    }
  }
}

void move_schema(StatementCheck& check) {
  const StatementView& view = check.view();
  const std::string_view type = view.object_type();
  if (!view.is("AlterObjectSchemaStmt") || (type != "OBJECT_TABLE" && type != "OBJECT_VIEW" && type != "OBJECT_MATVIEW")) {
    return;
  }
  check.report({.table = view.relation(),
                .message = "application code that still expects " + view.relation().sql() +
                           " in its old schema fails from the commit on",
                .fix = "in the same transaction, create a view of the old name; drop it when no code uses it"});
}

}  // namespace athanor::rule
