#include "migrations/lint/known_schema.hpp"

#include <algorithm>
#include <utility>

#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

std::string generated_name(const QualifiedName& table, const std::vector<std::string>& columns, std::string_view suffix) {
  std::string name = table.name;
  for (const std::string& column : columns) {
    name += "_" + column;
  }
  return name + "_" + std::string(suffix);
}

constexpr int kDeepestDomain = 32;  // a hostile file can define domains in a circle

std::string_view suffix_of(std::string_view kind) {
  return kind == "CONSTR_FOREIGN" ? "fkey" : kind == "CONSTR_CHECK" ? "check" : kind == "CONSTR_UNIQUE" ? "key" : "excl";
}

std::string name_of(const QualifiedName& table, const ConstraintParts& constraint) {
  if (!constraint.name.empty()) {
    return constraint.name;
  }
  return constraint.is("CONSTR_PRIMARY") ? table.name + "_pkey"
                                         : generated_name(table, constraint.columns, suffix_of(constraint.kind));
}

}  // namespace

const KnownTable* KnownSchema::find(const QualifiedName& table) const {
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : &found->second;
}

bool KnownSchema::is_new(const QualifiedName& table) const {
  const KnownTable* const facts = find(table);
  // No other session can see a temporary table, so locking it blocks nobody.
  return facts != nullptr && (facts->created_in == unit_ || facts->temporary);
}

const KnownColumn* KnownSchema::column(const QualifiedName& table, const std::string& column) const {
  const KnownTable* const facts = find(table);
  if (facts == nullptr) {
    return nullptr;
  }
  const auto found = facts->columns.find(column);
  return found == facts->columns.end() ? nullptr : &found->second;
}

const KnownConstraint* KnownSchema::constraint(const QualifiedName& table, const std::string& name) const {
  const KnownTable* const facts = find(table);
  if (facts == nullptr) {
    return nullptr;
  }
  const auto found = facts->constraints.find(name);
  return found == facts->constraints.end() ? nullptr : &found->second;
}

const KnownIndex* KnownSchema::index(const QualifiedName& name) const {
  const auto found = indexes_.find(name);
  return found == indexes_.end() ? nullptr : &found->second;
}

bool KnownSchema::has_index_on(const QualifiedName& table, const std::vector<std::string>& columns) const {
  const auto leads = [&](const std::vector<std::string>& indexed) {
    return indexed.size() >= columns.size() &&
           std::is_permutation(columns.begin(), columns.end(), indexed.begin(),
                               indexed.begin() + static_cast<std::ptrdiff_t>(columns.size()));
  };
  const auto serves = [&](const QualifiedName& name) {
    const KnownIndex* const known = index(name);
    // A partial index does not serve a foreign key's lookups.
    return known != nullptr && !known->partial && leads(known->columns);
  };
  const auto of_table = indexes_of_.find(table);
  const auto begins_with = [&](const std::string& first) {
    auto entry = of_table->second.lower_bound({first});
    for (; entry != of_table->second.end() && !entry->first.empty() && entry->first.front() == first; ++entry) {
      if (std::ranges::any_of(entry->second, serves)) {
        return true;
      }
    }
    return false;
  };
  const bool indexed = of_table != indexes_of_.end() && std::ranges::any_of(columns, begins_with);
  const KnownTable* const facts = find(table);
  return indexed || (facts != nullptr && std::ranges::any_of(facts->constraints, [&](const auto& entry) {
                       const bool backed = entry.second.kind == "CONSTR_PRIMARY" || entry.second.kind == "CONSTR_UNIQUE";
                       return backed && leads(entry.second.columns);
                     }));
}

bool KnownSchema::is_proven_not_null(const QualifiedName& table, const std::string& column) const {
  if (validated_unit_ == unit_ && blindly_validated_.contains(table)) {
    return true;
  }
  const KnownTable* const facts = find(table);
  return facts != nullptr && std::ranges::any_of(facts->constraints, [&](const auto& entry) {
           return entry.second.validated && entry.second.not_null_column == column;
         });
}

std::optional<bool> KnownSchema::domain_constrained(const QualifiedName& type) const {
  auto found = domains_.find(type);
  if (found == domains_.end()) {
    return std::nullopt;
  }
  for (int depth = 0; found != domains_.end() && depth < kDeepestDomain; ++depth) {
    const KnownDomain& domain = found->second;
    if (domain.constrained) {
      return true;
    }
    found = domain.base && !domain.base->array ? domains_.find({domain.base->schema, domain.base->name}) : domains_.end();
  }
  return found != domains_.end();
}

TypeWords KnownSchema::base_type(TypeWords type) const {
  for (int depth = 0; depth < kDeepestDomain && !type.array; ++depth) {
    const auto found = domains_.find({type.schema, type.name});
    if (found == domains_.end() || !found->second.base) {
      break;
    }
    type = *found->second.base;
  }
  return type;
}

const std::map<std::string, AddedValue>& KnownSchema::values_added(int transaction) const {
  static const std::map<std::string, AddedValue> kNone;
  return transaction == added_in_ ? added_values_ : kNone;
}

std::optional<Volatility> KnownSchema::function(const QualifiedName& name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? std::nullopt : std::optional(found->second);
}

void KnownSchema::add_index(const QualifiedName& name, KnownIndex facts) {
  drop_index(name);
  indexes_of_[facts.table][facts.columns].insert(name);
  indexes_[name] = std::move(facts);
}

void KnownSchema::drop_index(const QualifiedName& name) {
  if (const auto found = indexes_.find(name); found != indexes_.end()) {
    auto& of_table = indexes_of_[found->second.table];
    const auto same = of_table.find(found->second.columns);
    if (same != of_table.end() && same->second.erase(name) > 0 && same->second.empty()) {
      of_table.erase(same);
    }
    indexes_.erase(found);
  }
}

std::vector<QualifiedName> KnownSchema::indexes_of(const QualifiedName& table) const {
  std::vector<QualifiedName> names;
  if (const auto found = indexes_of_.find(table); found != indexes_of_.end()) {
    for (const auto& [columns, same] : found->second) {
      names.insert(names.end(), same.begin(), same.end());
    }
  }
  return names;
}

const std::set<QualifiedName>& KnownSchema::indexes_on(const QualifiedName& table,
                                                       const std::vector<std::string>& columns) const {
  static const std::set<QualifiedName> kNone;
  const auto of_table = indexes_of_.find(table);
  if (of_table == indexes_of_.end()) {
    return kNone;
  }
  const auto found = of_table->second.find(columns);
  return found == of_table->second.end() ? kNone : found->second;
}

void KnownSchema::apply(const StatementView& view, int transaction) {
  if (view.is("CreateStmt")) {
    create_table(view);
  } else if (view.is("AlterTableStmt")) {
    alter_table(view);
  } else if (view.is("IndexStmt")) {
    create_index(view);
  } else if (view.is("CreateTableAsStmt") || view.is("SelectStmt")) {
    create_as(view);
  } else if (view.is("DropStmt")) {
    drop(view);
  } else if (view.is("RenameStmt") || view.is("AlterObjectSchemaStmt")) {
    rename(view);
  } else if (view.is("CreateDomainStmt")) {
    create_domain(view);
  } else if (view.is("AlterDomainStmt") && (view.node()["subtype"].value() == "C" || view.node()["subtype"].value() == "O")) {
    domains_[name_in(view.node()["typeName"])].constrained = true;
  } else if (view.is("CreateEnumStmt")) {
    types_created_[name_in(view.node()["typeName"])] = transaction;
  } else if (view.is("AlterEnumStmt")) {
    add_enum_value(view, transaction);
  } else if (view.is("CreateFunctionStmt")) {
    create_function(view);
  }
}

void KnownSchema::create_table(const StatementView& view) {
  const QualifiedName& name = view.relation();
  const bool existed = tables_.contains(name);
  // The statement does nothing then: keep what is known.
  if (existed && is_set(view.node()["if_not_exists"])) {
    return;
  }
  KnownTable facts;
  facts.created_in = unit_;
  facts.partitioned = static_cast<bool>(view.node()["partspec"]);
  facts.temporary = view.node()["relation"]["relpersistence"].value() == "t";
  tables_[name] = std::move(facts);
  for (const ColumnParts& column : view.new_columns()) {
    add_column(name, column);
  }
  for (const ConstraintParts& constraint : view.new_constraints()) {
    add_constraint(name, constraint);
  }
}

void KnownSchema::add_column(const QualifiedName& table, const ColumnParts& column) {
  KnownTable& facts = tables_[table];
  TypeWords type = column.type;
  if (column.is_serial()) {
    // A serial is an integer column with a default.
    type.name = type.name == "bigserial" || type.name == "serial8"                                     ? "int8"
                : type.name.starts_with("s") && (type.name == "smallserial" || type.name == "serial2") ? "int2"
                                                                                                       : "int4";
  }
  facts.columns[column.name] = KnownColumn{std::move(type), column.not_null};
  const auto inline_constraint = [&](std::string_view kind, const TreeNode& fields) {
    ConstraintParts parts = fields ? constraint_parts(fields) : ConstraintParts();
    parts.kind = kind;
    parts.columns = {column.name};
    parts.not_valid = false;
    add_constraint(table, parts);
  };
  if (column.primary_key) {
    inline_constraint("CONSTR_PRIMARY", {});
  }
  if (column.unique) {
    inline_constraint("CONSTR_UNIQUE", {});
  }
  if (column.references) {
    inline_constraint("CONSTR_FOREIGN", column.references);
  }
  if (column.check) {
    inline_constraint("CONSTR_CHECK", column.check);
  }
}

void KnownSchema::add_constraint(const QualifiedName& table, const ConstraintParts& constraint) {
  KnownTable& facts = tables_[table];
  KnownConstraint known{std::string(constraint.kind), constraint.columns, constraint.references, constraint.not_null_column,
                        !constraint.not_valid};
  if (!constraint.index.empty()) {
    // USING INDEX names no columns: they are those of the index.
    if (const KnownIndex* const built = index({table.schema, constraint.index})) {
      known.columns = built->columns;
    }
  }
  if (constraint.is("CONSTR_CHECK")) {
    const std::set<std::string> columns = columns_in(constraint.node["raw_expr"]);
    known.columns.assign(columns.begin(), columns.end());
  }
  if (constraint.is("CONSTR_PRIMARY")) {
    for (const std::string& column : known.columns) {
      facts.columns[column].not_null = true;
    }
  }
  facts.constraints[name_of(table, constraint)] = std::move(known);
}

void KnownSchema::alter_table(const StatementView& view) {
  if (view.actions().empty()) {
    return;
  }
  for (const ColumnParts& column : view.new_columns()) {
    add_column(view.relation(), column);
  }
  for (const ConstraintParts& constraint : view.new_constraints()) {
    add_constraint(view.relation(), constraint);
  }
  KnownTable& facts = tables_[view.relation()];
  for (const AlterAction& action : view.actions()) {
    alter_one(facts, view, action);
  }
}

void KnownSchema::alter_one(KnownTable& facts, const StatementView& view, const AlterAction& action) {
  if (action.kind == "AT_DropColumn") {
    forget_column(facts, view.relation(), action.name);
  } else if (action.kind == "AT_AlterColumnType") {
    facts.columns[action.name].type = type_in(action.node["def"]["ColumnDef"]["typeName"]);
  } else if (action.kind == "AT_SetNotNull") {
    facts.columns[action.name].not_null = true;
  } else if (action.kind == "AT_DropNotNull") {
    facts.columns[action.name].not_null = false;
  } else if (action.kind == "AT_DropConstraint") {
    facts.constraints.erase(action.name);
  } else if (action.kind == "AT_ValidateConstraint") {
    if (const auto found = facts.constraints.find(action.name); found != facts.constraints.end()) {
      found->second.validated = true;
      return;
    }
    // The constraint is not known, but it may be CHECK (column IS NOT NULL), which makes SET NOT NULL cheap.
    if (validated_unit_ != unit_) {
      blindly_validated_.clear();
      validated_unit_ = unit_;
    }
    blindly_validated_.insert(view.relation());
  } else if (action.kind == "AT_AttachPartition") {
    facts.partitioned = true;
  }
}

void KnownSchema::create_index(const StatementView& view) {
  const TreeNode& node = view.node();
  KnownIndex facts{view.relation(), {}, is_set(node["unique"]), static_cast<bool>(node["whereClause"])};
  bool computed = facts.partial;
  for (const TreeNode& item : items_of(node["indexParams"])) {
    facts.columns.push_back(item["IndexElem"]["name"].text());
    computed = computed || facts.columns.back().empty();
  }
  if (computed) {
    facts.rebuilt_with = columns_in(node["whereClause"]);
    for (const std::string_view list : {"indexParams", "indexIncludingParams"}) {
      for (const TreeNode& item : items_of(node[list])) {
        facts.rebuilt_with.insert(item["IndexElem"]["name"].text());
        facts.rebuilt_with.merge(columns_in(item["IndexElem"]["expr"]));
      }
    }
    facts.rebuilt_with.erase("");
  }
  std::string name = node["idxname"].text();
  if (name.empty()) {
    name = generated_name(view.relation(), facts.columns, "idx");
  }
  add_index({view.relation().schema, std::move(name)}, std::move(facts));
}

void KnownSchema::create_domain(const StatementView& view) {
  const TreeNode& node = view.node();
  KnownDomain facts{false, type_in(node["typeName"])};
  for (const TreeNode& item : items_of(node["constraints"])) {
    const std::string_view kind = item["Constraint"]["contype"].value();
    facts.constrained = facts.constrained || kind == "CONSTR_CHECK" || kind == "CONSTR_NOTNULL";
  }
  domains_[name_in(node["domainname"])] = std::move(facts);
}

void KnownSchema::create_function(const StatementView& view) {
  const TreeNode option = option_in(view.node()["options"], "volatility");
  const std::string word = string_in(option["arg"]);
  // VOLATILE is the default.
  const Volatility volatility = word == "immutable" ? Volatility::Immutable
                                : word == "stable"  ? Volatility::Stable
                                                    : Volatility::Volatile;
  functions_[name_in(view.node()["funcname"])] = volatility;
}

// CREATE TABLE … AS, CREATE MATERIALIZED VIEW and SELECT … INTO.
void KnownSchema::create_as(const StatementView& view) {
  const TreeNode into = view.is("SelectStmt") ? view.node()["intoClause"]["rel"] : view.node()["into"]["rel"];
  if (into) {
    KnownTable facts;
    facts.created_in = unit_;
    facts.temporary = into["relpersistence"].value() == "t";
    tables_[relation_in(into)] = std::move(facts);
  }
}

void KnownSchema::drop(const StatementView& view) {
  for (const TreeNode& object : items_of(view.node()["objects"])) {
    const QualifiedName name = name_in(object["List"]["items"]);
    if (view.object_type() == "OBJECT_TABLE") {
      tables_.erase(name);
      for (const QualifiedName& index : indexes_of(name)) {
        indexes_.erase(index);
      }
      indexes_of_.erase(name);
    } else if (view.object_type() == "OBJECT_INDEX") {
      drop_index(name);
    }
  }
}

void KnownSchema::rename(const StatementView& view) {
  const TreeNode& node = view.node();
  const std::string_view type = view.object_type();
  if (view.is("AlterObjectSchemaStmt")) {
    if (type == "OBJECT_TABLE") {
      QualifiedName moved = view.relation();
      moved.schema = node["newschema"].text() == "public" ? std::string() : node["newschema"].text();
      rename_table(view.relation(), moved);
    }
    return;
  }
  const std::string to = node["newname"].text();
  // ALTER TABLE renames indexes, too.
  if (type == "OBJECT_INDEX" || (type == "OBJECT_TABLE" && index(view.relation()) != nullptr)) {
    rename_index(view.relation(), to);
    return;
  }
  if (type == "OBJECT_TABLE") {
    rename_table(view.relation(), {view.relation().schema, to});
    return;
  }
  const auto table = tables_.find(view.relation());
  if (table != tables_.end() && type == "OBJECT_COLUMN") {
    if (auto column = table->second.columns.extract(node["subname"].text())) {
      column.key() = to;
      table->second.columns.insert(std::move(column));
    }
    rename_column(view.relation(), node["subname"].text(), to);
  } else if (table != tables_.end() && type == "OBJECT_TABCONSTRAINT") {
    if (auto constraint = table->second.constraints.extract(node["subname"].text())) {
      constraint.key() = to;
      table->second.constraints.insert(std::move(constraint));
    }
  }
}

void KnownSchema::rename_index(const QualifiedName& from, const std::string& to) {
  if (const KnownIndex* const known = index(from)) {
    KnownIndex facts = *known;
    drop_index(from);
    add_index({from.schema, to}, std::move(facts));
  }
}

// The server drops constraints and indexes with their column.
void KnownSchema::forget_column(KnownTable& facts, const QualifiedName& table, const std::string& column) {
  facts.columns.erase(column);
  std::erase_if(facts.constraints, [&](const auto& entry) {
    return std::ranges::find(entry.second.columns, column) != entry.second.columns.end();
  });
  for (const QualifiedName& name : indexes_of(table)) {
    const KnownIndex& known = *index(name);
    if (known.rebuilt_with.contains(column) || std::ranges::find(known.columns, column) != known.columns.end()) {
      drop_index(name);
    }
  }
}

void KnownSchema::rename_column(const QualifiedName& table, const std::string& from, const std::string& to) {
  for (auto& [name, constraint] : tables_[table].constraints) {
    std::ranges::replace(constraint.columns, from, to);
    constraint.not_null_column = constraint.not_null_column == from ? to : constraint.not_null_column;
  }
  for (const QualifiedName& name : indexes_of(table)) {
    KnownIndex facts = *index(name);
    std::ranges::replace(facts.columns, from, to);
    if (facts.rebuilt_with.erase(from) > 0) {
      facts.rebuilt_with.insert(to);
    }
    add_index(name, std::move(facts));
  }
}

void KnownSchema::rename_table(const QualifiedName& from, const QualifiedName& to) {
  auto table = tables_.extract(from);
  if (!table) {
    return;
  }
  tables_.erase(to);
  table.key() = to;
  tables_.insert(std::move(table));
  if (auto indexes = indexes_of_.extract(from)) {
    for (const auto& [columns, names] : indexes.mapped()) {
      for (const QualifiedName& name : names) {
        indexes_[name].table = to;
      }
    }
    indexes_of_[to] = std::move(indexes.mapped());
  }
}

void KnownSchema::add_enum_value(const StatementView& view, int transaction) {
  const QualifiedName type = name_in(view.node()["typeName"]);
  const std::string value = view.node()["newVal"].text();
  const auto created = types_created_.find(type);
  const bool made_here = created != types_created_.end() && created->second == transaction;
  if (value.empty() || view.node()["oldVal"]) {
    return;
  }
  if (added_in_ != transaction) {
    added_values_.clear();
    added_in_ = transaction;
  }
  added_values_[value] = {type, made_here};
}

}  // namespace athanor
