// Reads enumerations, domains, ranges, composite types and collations, and links types to their table, array or range.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kCollation;
using catalog_oid::kNamespace;
using catalog_oid::kType;

std::string qualified(const Extraction& extraction, const CatalogRow& row, std::size_t schema, std::size_t name) {
  return row.has(name) ? json_name(extraction.schema_name(row.oid(schema)), row.text(name)) : std::string();
}

enum TypeColumn : std::size_t {
  TypeOid,
  TypeSchema,
  TypeName,
  TypeType,
  TypeRelation,
  TypeOwner,
  TypeBase,
  TypeNotNull,
  TypeDefault,
  TypeCollationSchema,
  TypeCollation,
  TypeSubtype,
  TypeClassSchema,
  TypeClass,
  TypeCanonical,
  TypeSubtypeDiff,
  TypeMultirange,
  TypeMultirangeName,
  TypeDiffSchema,
  TypeCanonicalSchema,
  TypeNotNullName
};

constexpr const char* kTypes = R"(SELECT t.oid, t.typnamespace, t.typname, t.typtype, NULLIF(t.typrelid, 0), t.typowner,
 CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, t.typnotnull,
 pg_get_expr(t.typdefaultbin, 0), l.collnamespace, l.collname,
 format_type(r.rngsubtype, NULL), o.opcnamespace, o.opcname, rc.proname, rd.proname,
 NULLIF(r.rngmultitypid, 0), m.typname, rd.pronamespace, rc.pronamespace, $NOTNULL$
FROM pg_catalog.pg_type t
 LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
 LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid
 LEFT JOIN pg_catalog.pg_type s ON s.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE r.rngsubtype END
 LEFT JOIN pg_catalog.pg_collation l ON l.oid = CASE WHEN t.typtype = 'd' THEN t.typcollation ELSE r.rngcollation END
  AND l.oid <> s.typcollation
 LEFT JOIN pg_catalog.pg_opclass o ON o.oid = r.rngsubopc AND NOT o.opcdefault
 LEFT JOIN pg_catalog.pg_proc rc ON rc.oid = r.rngcanonical
 LEFT JOIN pg_catalog.pg_proc rd ON rd.oid = r.rngsubdiff
 LEFT JOIN pg_catalog.pg_type m ON m.oid = r.rngmultitypid
WHERE t.oid >= 16384 AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')))";

Kind kind_of_type(char type) {
  switch (type) {
    case 'e':
      return Kind::EnumType;
    case 'd':
      return Kind::Domain;
    case 'r':
      return Kind::RangeType;
    default:
      return Kind::CompositeType;
  }
}

void describe_domain(Fact& fact, const Extraction& extraction, const CatalogRow& row) {
  set(fact, attribute::kType, row.text(TypeBase));
  set(fact, attribute::kCollation, qualified(extraction, row, TypeCollationSchema, TypeCollation));
  set(fact, attribute::kDefault, row.text(TypeDefault));
  set_flag(fact, attribute::kNotNull, row.flag(TypeNotNull));
  if (row.has(TypeNotNullName) && row.text(TypeNotNullName) != chosen_name(row.text(TypeName), "", "not_null")) {
    set(fact, attribute::kNotNullName, row.text(TypeNotNullName));
  }
}

void describe_range(Fact& fact, const Extraction& extraction, const CatalogRow& row) {
  set(fact, attribute::kSubtype, row.text(TypeSubtype));
  set(fact, attribute::kSubtypeClass, qualified(extraction, row, TypeClassSchema, TypeClass));
  set(fact, attribute::kCollation, qualified(extraction, row, TypeCollationSchema, TypeCollation));
  set(fact, attribute::kCanonical, qualified(extraction, row, TypeCanonicalSchema, TypeCanonical));
  set(fact, attribute::kSubtypeDiff, qualified(extraction, row, TypeDiffSchema, TypeSubtypeDiff));
  set(fact, attribute::kMultirange, row.text(TypeMultirangeName));
}

void take_types(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{kType, row.oid(TypeOid), 0};
    const Kind kind = kind_of_type(row.letter(TypeType));
    if (row.has(TypeMultirange)) {
      extraction.carry({kType, row.oid(TypeMultirange), 0}, address);
    }
    if (!extraction.takes(address, row.oid(TypeSchema), kind_name(kind), row.text(TypeName))) {
      continue;
    }
    Fact fact{.id = {.kind = kind, .schema = extraction.schema_name(row.oid(TypeSchema)), .name = row.text(TypeName)}};
    if (kind == Kind::Domain) {
      describe_domain(fact, extraction, row);
    } else if (kind == Kind::RangeType) {
      describe_range(fact, extraction, row);
    }
    const auto index = extraction.add(address, std::move(fact), row.oid(TypeOwner));
    extraction.add_edge(index, Address{kNamespace, row.oid(TypeSchema), 0});
  }
}

// The attributes of a composite type are the columns of a relation that PostgreSQL creates for it.
void take_carried_types(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // type, its array, its relation, is it a composite type
    const Address type{kType, row.oid(0), 0};
    if (row.has(1)) {
      extraction.carry({kType, row.oid(1), 0}, type);
    }
    if (!row.has(2)) {
      continue;
    }
    const Address relation{catalog_oid::kClass, row.oid(2), 0};
    row.flag(3) ? extraction.carry(relation, type) : extraction.carry(type, relation);
  }
}

void take_labels(const Rows& rows, Extraction& extraction) {
  for (std::size_t first = 0; first < rows.rows.size();) {
    const Oid type = CatalogRow(rows.rows[first]).oid(0);
    std::vector<std::string> labels;
    for (; first < rows.rows.size() && CatalogRow(rows.rows[first]).oid(0) == type; ++first) {
      labels.push_back(CatalogRow(rows.rows[first]).text(1));
    }
    const auto index = extraction.find({kType, type, 0});
    if (index && extraction.fact(*index).id.kind == Kind::EnumType) {
      set(extraction.fact(*index), attribute::kLabels, json_list(labels));
    }
  }
}

std::string collations(int version) {
  std::string sql = "SELECT l.oid, l.collnamespace, l.collname, l.collowner, l.collprovider, l.collisdeterministic, ";
  sql += version >= 170000   ? "l.colllocale, l.collcollate, l.collctype, l.collicurules"
         : version >= 160000 ? "l.colliculocale, l.collcollate, l.collctype, l.collicurules"
         : version >= 150000 ? "l.colliculocale, l.collcollate, l.collctype, NULL"
                             : "CASE WHEN l.collprovider = 'i' THEN l.collcollate END,"
                               " CASE WHEN l.collprovider <> 'i' THEN l.collcollate END,"
                               " CASE WHEN l.collprovider <> 'i' THEN l.collctype END, NULL";
  return sql + " FROM pg_catalog.pg_collation l WHERE l.oid >= 16384";
}

void take_collations(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{kCollation, row.oid(0), 0};
    if (!extraction.takes(address, row.oid(1), "collation", row.text(2))) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::Collation, .schema = extraction.schema_name(row.oid(1)), .name = row.text(2)}};
    set(fact, attribute::kProvider, row.text(4));
    set_flag(fact, attribute::kNotDeterministic, row.text(5) == "f");
    set(fact, attribute::kLocale, row.text(6));
    set(fact, attribute::kCollate, row.text(7));
    set(fact, attribute::kCtype, row.text(8));
    set(fact, attribute::kRules, row.text(9));
    const auto index = extraction.add(address, std::move(fact), row.oid(3));
    extraction.add_edge(index, Address{kNamespace, row.oid(1), 0});
  }
}

}  // namespace

void add_type_families(std::vector<Family>& families, int version) {
  std::string types = kTypes;
  types.replace(types.find("$NOTNULL$"), 9,
                version >= 180000
                    ? "(SELECT n.conname FROM pg_catalog.pg_constraint n WHERE n.contypid = t.oid AND n.contype = 'n')"
                    : "NULL");
  families.push_back({types, take_types});
  families.push_back({R"(SELECT t.oid, NULLIF(t.typarray, 0), NULLIF(t.typrelid, 0), c.relkind = 'c'
FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
WHERE t.oid >= 16384 AND (t.typarray <> 0 OR t.typrelid <> 0))",
                      take_carried_types});
  families.push_back({R"(SELECT e.enumtypid, e.enumlabel FROM pg_catalog.pg_enum e
WHERE e.enumtypid >= 16384 ORDER BY e.enumtypid, e.enumsortorder)",
                      take_labels});
  families.push_back({collations(version), take_collations});
}

}  // namespace athanor::schema
