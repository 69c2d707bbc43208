// Reads constraints of tables and domains. NOT NULL constraints (of domains from PostgreSQL 17, of tables from 18) are
// described with their domain or column.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kClass;
using catalog_oid::kConstraint;
using catalog_oid::kType;

enum ConstraintColumn : std::size_t {
  ConOid,
  ConName,
  ConType,
  ConTable,
  ConDomain,
  ConIndex,
  ConReferenced,
  ConValidated,
  ConEnforced,
  ConColumns,
  ConNoInherit,
  ConDefinition,
  ConLocal,
  ConRepeated
};

// Constraints that a partition or child inherits are returned without a definition and do not become facts.
constexpr const char* kConstraints = R"(SELECT con.oid, con.conname, con.contype, NULLIF(con.conrelid, 0),
 NULLIF(con.contypid, 0), NULLIF(con.conindid, 0), NULLIF(con.confrelid, 0), con.convalidated, $ENFORCED$, con.conkey,
 con.connoinherit,
 CASE WHEN con.conparentid = 0 AND con.conislocal AND con.contype <> 'n' AND NOT (con.contype = 'c' AND con.coninhcount > 0)
  THEN pg_get_constraintdef(con.oid) END, con.conislocal,
 NULLIF(con.contype = 'c' AND con.conislocal AND con.coninhcount > 0, false)
FROM pg_catalog.pg_constraint con WHERE con.oid >= 16384 AND con.contype <> 't')";

void cut_suffix(std::string& text, std::string_view suffix) {
  if (std::string_view(text).ends_with(suffix)) {
    text.erase(text.size() - suffix.size());
  }
}

Fact constraint_fact(const CatalogRow& row, Kind kind, const std::string& schema, const std::string& parent) {
  Fact fact{.id = {.kind = kind, .schema = schema, .parent = parent, .name = row.text(ConName)}};
  std::string definition = row.text(ConDefinition);
  if (!row.flag(ConEnforced)) {
    cut_suffix(definition, " NOT ENFORCED");
    set_flag(fact, attribute::kNotEnforced, true);
  } else if (!row.flag(ConValidated)) {
    cut_suffix(definition, " NOT VALID");
    set_flag(fact, attribute::kNotValid, true);
  }
  set(fact, attribute::kDefinition, std::move(definition));
  return fact;
}

void take_domain_constraint(const CatalogRow& row, Extraction& extraction) {
  const auto domain = extraction.find({kType, row.oid(ConDomain), 0});
  if (!domain || row.letter(ConType) == 'n') {
    return;
  }
  const FactId& id = extraction.fact(*domain).id;
  Fact fact = constraint_fact(row, Kind::DomainConstraint, id.schema, id.name);
  const auto index = extraction.add({kConstraint, row.oid(ConOid), 0}, std::move(fact));
  extraction.add_edge(index, *domain);
}

void describe_not_null(const CatalogRow& row, Extraction& extraction, const Relation& table) {
  const std::vector<int> numbers = numbers_in(row.text(ConColumns));
  const ColumnRow* column = numbers.empty() ? nullptr : table.column(numbers.front());
  if (column == nullptr) {
    return;
  }
  const Address address{kClass, row.oid(ConTable), column->number};
  extraction.carry({kConstraint, row.oid(ConOid), 0}, address);
  extraction.add_subject({kConstraint, row.oid(ConOid), 0}, {.kind = Kind::Constraint,
                                                             .schema = extraction.schema_name(table.schema),
                                                             .parent = table.name,
                                                             .name = row.text(ConName)});
  const auto index = extraction.find(address);
  if (!index || !row.flag(ConLocal)) {
    return;
  }
  Fact& fact = extraction.fact(*index);
  if (fact.id.kind != Kind::Column || fact.id.parent != table.name || fact.id.name != column->name) {
    return;  // an inherited column without its own fact
  }
  if (row.text(ConName) != chosen_name(table.name, column->name, "not_null")) {
    set(fact, attribute::kNotNullName, row.text(ConName));
  }
  set_flag(fact, attribute::kNotNullNotValid, !row.flag(ConValidated));
  set_flag(fact, attribute::kNotNullNoInherit, row.flag(ConNoInherit));
}

void take_table_constraint(const CatalogRow& row, Extraction& extraction, const Relation& table) {
  const char type = row.letter(ConType);
  const Address address{kConstraint, row.oid(ConOid), 0};
  Fact fact = constraint_fact(row, Kind::Constraint, extraction.schema_name(table.schema), table.name);
  set(fact, attribute::kContype, std::string(1, type));
  const std::vector<std::string> columns = Extraction::column_names(table, numbers_in(row.text(ConColumns)));
  if (!columns.empty()) {
    set(fact, attribute::kColumns, json_list(columns));
  }
  if (row.has(ConReferenced)) {
    set(fact, attribute::kReferences, extraction.relation_name(row.oid(ConReferenced)));
  }
  const auto index = extraction.add(address, std::move(fact));
  extraction.add_edge(index, table.fact);
  for (const int number : numbers_in(row.text(ConColumns))) {
    extraction.add_edge(index, Address{kClass, row.oid(ConTable), number});
  }
}

void take_constraints(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    if (row.has(ConDomain)) {
      take_domain_constraint(row, extraction);
      continue;
    }
    const Relation* table = extraction.relation(row.oid(ConTable));
    if (table == nullptr) {
      continue;
    }
    const Address address{kConstraint, row.oid(ConOid), 0};
    const char type = row.letter(ConType);
    const bool has_index = row.has(ConIndex) && type != 'f';  // of a foreign key, this is the index on the referenced table
    if (has_index) {
      extraction.carry({kClass, row.oid(ConIndex), 0}, address);
    }
    if (table->hidden) {
      extraction.carry(address, {kClass, row.oid(ConTable), 0});
    } else if (type == 'n') {
      describe_not_null(row, extraction, *table);
    } else if (row.has(ConDefinition)) {
      take_table_constraint(row, extraction, *table);
    } else if (row.has(ConRepeated)) {
      extraction.fact(table->fact).uncompared.push_back({attribute::kCheckConstraint, row.text(ConName)});
    }
  }
}

}  // namespace

void add_constraint_families(std::vector<Family>& families, int version) {
  std::string sql = kConstraints;
  sql.replace(sql.find("$ENFORCED$"), 10, version >= 180000 ? "con.conenforced" : "true");
  families.push_back({.sql = sql, .take = take_constraints, .large = true});
}

}  // namespace athanor::schema
