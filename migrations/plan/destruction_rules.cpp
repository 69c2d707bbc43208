#include "migrations/plan/destruction_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <unordered_set>

#include "migrations/plan/row_condition.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

using Names = std::unordered_set<std::string_view>;

Names words(std::string_view list) {
  Names names;
  while (!list.empty()) {
    const auto space = std::min(list.find(' '), list.size());
    names.insert(list.substr(0, space));
    list.remove_prefix(std::min(space + 1, list.size()));
  }
  return names;
}

// Kinds of statements that are harmless in every form. Nodes inside them are checked separately.
const Names& harmless_kinds() {
  static const Names kNames = words(
      "SelectStmt InsertStmt CreateStmt CreateForeignTableStmt IndexStmt ViewStmt CreateTableAsStmt DoStmt CreateTrigStmt"
      " CreateEnumStmt CompositeTypeStmt CreateRangeStmt CreateDomainStmt DefineStmt CreateSeqStmt"
      " AlterSeqStmt AlterExtensionContentsStmt CommentStmt CreateStatsStmt AlterStatsStmt"
      " CreatePublicationStmt AlterPublicationStmt CreateSubscriptionStmt AlterSubscriptionStmt CreateFdwStmt AlterFdwStmt"
      " CreateForeignServerStmt AlterForeignServerStmt ImportForeignSchemaStmt"
      " RenameStmt AlterObjectSchemaStmt AlterObjectDependsStmt AlterOperatorStmt AlterTypeStmt AlterEnumStmt"
      " AlterCollationStmt AlterDatabaseStmt AlterDatabaseRefreshCollStmt AlterTableMoveAllStmt"
      " AlterTableSpaceOptionsStmt AlterTSConfigurationStmt AlterTSDictionaryStmt AlterOpFamilyStmt AlterEventTrigStmt"
      " ClusterStmt VacuumStmt ReindexStmt RefreshMatViewStmt CheckPointStmt LockStmt ConstraintsSetStmt"
      " VariableShowStmt NotifyStmt ListenStmt UnlistenStmt DeallocateStmt TransactionStmt DeclareCursorStmt"
      " FetchStmt ClosePortalStmt PrepareStmt ExplainStmt CreateCastStmt CreateConversionStmt CreateOpClassStmt"
      " CreateOpFamilyStmt CreateAmStmt CreatePLangStmt CreateTransformStmt CreateEventTrigStmt CreateTableSpaceStmt"
      "  ReturnStmt PLAssignStmt AlterTableStmt ReplicaIdentityStmt");
  return kNames;
}

// Actions of ALTER TABLE and similar statements that keep rows and privileges.
const Names& harmless_actions() {
  static const Names kNames = words(
      "AT_AddColumn AT_AddColumnRecurse AT_AddColumnToView AT_ColumnDefault AT_CookedColumnDefault AT_DropNotNull AT_SetNotNull"
      " AT_DropExpression AT_CheckNotNull AT_SetStatistics AT_SetOptions AT_ResetOptions AT_SetStorage AT_SetCompression"
      " AT_AddIndex AT_AddConstraint AT_AlterConstraint AT_ValidateConstraint AT_AddIndexConstraint"
      " AT_AlterColumnGenericOptions AT_ClusterOn AT_DropCluster AT_SetLogged AT_SetAccessMethod AT_DropOids AT_SetTableSpace"
      " AT_SetRelOptions AT_ResetRelOptions AT_ReplaceRelOptions AT_EnableTrig AT_EnableAlwaysTrig AT_EnableReplicaTrig"
      " AT_DisableTrig AT_EnableTrigAll AT_DisableTrigAll AT_EnableTrigUser AT_DisableTrigUser AT_EnableRule"
      " AT_EnableAlwaysRule AT_EnableReplicaRule AT_DisableRule AT_AddInherit AT_DropInherit AT_AddOf AT_DropOf"
      " AT_ReplicaIdentity AT_AttachPartition AT_DetachPartition AT_DetachPartitionFinalize AT_GenericOptions AT_AddIdentity"
      " AT_SetIdentity AT_DropIdentity");
  return kNames;
}

// Kinds of objects that hold no data, carry no privileges and can be recreated from their definition.
const Names& harmless_drops() {
  static const Names kNames = words(
      "OBJECT_INDEX OBJECT_VIEW OBJECT_FUNCTION OBJECT_PROCEDURE OBJECT_ROUTINE OBJECT_AGGREGATE OBJECT_TRIGGER OBJECT_RULE"
      " OBJECT_OPERATOR OBJECT_OPCLASS OBJECT_OPFAMILY OBJECT_CAST OBJECT_COLLATION OBJECT_CONVERSION OBJECT_STATISTIC_EXT"
      " OBJECT_TSCONFIGURATION OBJECT_TSDICTIONARY OBJECT_TSPARSER OBJECT_TSTEMPLATE OBJECT_TRANSFORM OBJECT_EVENT_TRIGGER"
      " OBJECT_PUBLICATION OBJECT_ACCESS_METHOD OBJECT_LANGUAGE");
  return kNames;
}

bool is_one_of(std::string_view name, auto... names) {
  return ((name == names) || ...);
}

std::string_view name_at(const TreeNode& names, std::size_t place) {
  TreeNode node = names.first();
  for (; node && place > 0; --place) {
    node = node.next(names);
  }
  return node["String"]["sval"].value();
}

bool is_text_type(const TreeNode& type, bool may_cut) {
  const TreeNode names = type["names"];
  const bool of_server = name_at(names, 0) == "pg_catalog";
  const std::string_view name = name_at(names, of_server ? 1 : 0);
  const bool alone = name_at(names, of_server ? 2 : 1).empty();
  return alone && is_one_of(name, "text", "varchar") && !type["arrayBounds"] && (may_cut || !type["typmods"]);
}

// The column's old type is not known here, and rounding or truncation loses data: only text can hold the value of every other
// type. A varchar that is too short makes the server fail, except with USING.
bool type_keeps_all(const TreeNode& action) {
  const TreeNode column = action["def"]["ColumnDef"];
  if (!is_text_type(column["typeName"], true)) {
    return false;
  }
  const TreeNode conversion = column["raw_default"];
  if (!conversion) {
    return true;
  }
  const TreeNode cast = conversion["TypeCast"];
  const TreeNode fields = cast["arg"]["ColumnRef"]["fields"];
  // USING column::text converts without loss; any other expression may not.
  return is_text_type(cast["typeName"], false) && name_at(fields, 0) == action["name"].value() && name_at(fields, 1).empty();
}

bool action_destroys(const TreeNode& action) {
  const std::string_view subtype = action["subtype"].value();
  if (subtype == "AT_AlterColumnType") {
    return !type_keeps_all(action);
  }
  if (subtype == "AT_DropConstraint") {
    // A dropped constraint can be added again; CASCADE also drops foreign keys of other tables.
    return action["behavior"].value() == "DROP_CASCADE";
  }
  return !harmless_actions().contains(subtype);
}

std::string_view table_name(const TreeNode& relation) {
  const TreeNode alias = relation["alias"]["aliasname"];
  return alias ? alias.value() : relation["relname"].value();
}

bool merge_destroys(const TreeNode& merge) {
  const TreeNode clauses = merge["mergeWhenClauses"];
  const bool limited = limits_rows(merge["joinCondition"], table_name(merge["relation"]));
  for (TreeNode item = clauses.first(); item; item = item.next(clauses)) {
    const std::string_view command = item["MergeWhenClause"]["commandType"].value();
    // INSERT adds rows, and an UPDATE of selected rows counts like UPDATE … WHERE.
    if (command == "CMD_DELETE" || (command == "CMD_UPDATE" && !limited)) {
      return true;
    }
  }
  return false;
}

// A program may do anything, and a file on the server is overwritten.
bool copy_destroys(const TreeNode& copy) {
  return copy["is_program"] || (copy["filename"] && !copy["is_from"]);
}

// Settings that decide who acts, and whether triggers and foreign keys are enforced.
bool is_identity(std::string_view setting) {
  std::string name(setting);
  std::ranges::transform(name, name.begin(), lower_ascii);
  return is_one_of(name, "role", "session_authorization", "session_replication_role");
}

TreeNode find_option(const TreeNode& options, std::string_view name) {
  for (TreeNode item = options.first(); item; item = item.next(options)) {
    if (item["DefElem"]["defname"].value() == name) {
      return item["DefElem"];
    }
  }
  return {};
}

// CREATE FUNCTION … SECURITY DEFINER. Anything that is not clearly SECURITY INVOKER counts.
bool runs_as_owner(const TreeNode& function) {
  const TreeNode security = find_option(function["options"], "security");
  const TreeNode definer = security["arg"]["Boolean"];
  return security && !(definer && is_one_of(definer["boolval"].value(), "", "false"));
}

// Definitions that are destructive because of one detail; empty when the kind is not among them.
std::optional<bool> definition_destroys(const TreeNode& node) {
  const std::string_view key = node.key();
  if (key == "CreateFunctionStmt") {
    return runs_as_owner(node);
  }
  if (key == "CreateSchemaStmt") {
    return static_cast<bool>(node["authrole"]);
  }
  if (key == "CreatedbStmt") {
    return static_cast<bool>(find_option(node["options"], "owner"));
  }
  if (key == "CreateExtensionStmt") {
    return static_cast<bool>(find_option(node["options"], "cascade"));
  }
  if (key == "RuleStmt") {
    return static_cast<bool>(node["instead"]);
  }
  if (key == "AlterDomainStmt") {
    return node["behavior"].value() != "DROP_RESTRICT";
  }
  if (key == "VariableSetStmt" || key == "AlterDatabaseSetStmt") {
    return is_identity((key == "VariableSetStmt" ? node : node["setstmt"])["name"].text());
  }
  if (key == "DiscardStmt") {
    return node["target"].value() == "DISCARD_ALL";
  }
  return std::nullopt;
}

bool changes_security(const TreeNode& function) {
  return static_cast<bool>(find_option(function["actions"], "security"));
}

}  // namespace

bool statement_destroys(const TreeNode& node) {
  const std::string_view key = node.key();
  if (key == "AlterTableCmd") {
    return action_destroys(node);
  }
  // Every other node is part of a statement, which is checked itself.
  if (!key.ends_with("Stmt") || harmless_kinds().contains(key)) {
    return false;
  }
  if (const auto destroys = definition_destroys(node)) {
    return *destroys;
  }
  if (key == "UpdateStmt") {
    // An UPDATE of every row overwrites a whole column; one of some rows is ordinary data maintenance.
    return !limits_rows(node["whereClause"], table_name(node["relation"]));
  }
  if (key == "DropStmt") {
    return node["behavior"].value() != "DROP_RESTRICT" || !harmless_drops().contains(node["removeType"].value());
  }
  if (key == "MergeStmt") {
    return merge_destroys(node);
  }
  if (key == "CopyStmt") {
    return copy_destroys(node);
  }
  if (key == "AlterFunctionStmt") {
    return changes_security(node);
  }
  return true;
}

bool runs_expressions(std::string_view kind) {
  return is_one_of(kind, "SelectStmt", "InsertStmt", "UpdateStmt", "MergeStmt", "CreateTableAsStmt", "CopyStmt", "ExplainStmt",
                   "PrepareStmt", "DeclareCursorStmt", "AlterTableStmt");
}

bool evaluates_at_once(const TreeNode& node) {
  return is_one_of(node.key(), "IndexStmt", "partbound") || (node.key() == "AlterDomainStmt" && node["subtype"].value() != "T");
}

bool sets_identity(const TreeNode& call) {
  const TreeNode name = call["args"].first()["A_Const"]["sval"]["sval"];
  // A name that is computed at run time could be any.
  return !name || is_identity(name.text());
}

}  // namespace athanor
