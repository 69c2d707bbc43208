// Reads operators, operator classes and families, and casts. The server cannot print their definitions, so they are built here.
#include <algorithm>
#include <map>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kNamespace;
using catalog_oid::kOperatorClass;
using catalog_oid::kOperatorFamily;

std::string in_schema(const Extraction& extraction, Oid schema, const std::string& symbol) {
  return quote_identifier(extraction.schema_name(schema)) + "." + symbol;
}

enum OperatorColumn : std::size_t {
  OprOid,
  OprSchema,
  OprName,
  OprOwner,
  OprLeft,
  OprRight,
  OprFunction,
  OprCommutatorSchema,
  OprCommutator,
  OprNegatorSchema,
  OprNegator,
  OprRestrict,
  OprJoin,
  OprMerges,
  OprHashes
};

// An operator without a function is a placeholder that another operator names as its commutator or negator.
constexpr const char* kOperators = R"(SELECT o.oid, o.oprnamespace, o.oprname, o.oprowner,
 CASE WHEN o.oprleft <> 0 THEN format_type(o.oprleft, NULL) END, CASE WHEN o.oprright <> 0 THEN format_type(o.oprright, NULL) END,
 o.oprcode, c.oprnamespace, c.oprname, n.oprnamespace, n.oprname, NULLIF(o.oprrest::text, '-'), NULLIF(o.oprjoin::text, '-'),
 o.oprcanmerge, o.oprcanhash
FROM pg_catalog.pg_operator o
 LEFT JOIN pg_catalog.pg_operator c ON c.oid = o.oprcom
 LEFT JOIN pg_catalog.pg_operator n ON n.oid = o.oprnegate
WHERE o.oid >= 16384 AND o.oprcode <> 0)";

std::string operator_definition(const CatalogRow& row, const Extraction& extraction) {
  std::string sql = "CREATE OPERATOR " + in_schema(extraction, row.oid(OprSchema), row.text(OprName)) +
                    " (\n  FUNCTION = " + row.text(OprFunction);
  const auto add = [&](std::string_view option, const std::string& value) {
    if (!value.empty()) {
      sql += ",\n  " + std::string(option) + " = " + value;
    }
  };
  const auto add_operator = [&](std::string_view option, std::size_t schema, std::size_t name) {
    if (row.has(name)) {
      add(option, "OPERATOR(" + in_schema(extraction, row.oid(schema), row.text(name)) + ")");
    }
  };
  add("LEFTARG", row.text(OprLeft));
  add("RIGHTARG", row.text(OprRight));
  add_operator("COMMUTATOR", OprCommutatorSchema, OprCommutator);
  add_operator("NEGATOR", OprNegatorSchema, OprNegator);
  add("RESTRICT", row.text(OprRestrict));
  add("JOIN", row.text(OprJoin));
  sql += row.flag(OprHashes) ? ",\n  HASHES" : "";
  sql += row.flag(OprMerges) ? ",\n  MERGES" : "";
  return sql + "\n)";
}

void take_operators(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{catalog_oid::kOperator, row.oid(OprOid), 0};
    if (!extraction.takes(address, row.oid(OprSchema), "operator", row.text(OprName))) {
      continue;
    }
    const auto operand = [&](std::size_t column) { return row.has(column) ? row.text(column) : std::string("NONE"); };
    Fact fact{.id = {.kind = Kind::Operator,
                     .schema = extraction.schema_name(row.oid(OprSchema)),
                     .name = row.text(OprName),
                     .arguments = operand(OprLeft) + ", " + operand(OprRight)}};
    set(fact, attribute::kDefinition, operator_definition(row, extraction));
    const auto index = extraction.add(address, std::move(fact), row.oid(OprOwner));
    extraction.add_edge(index, Address{kNamespace, row.oid(OprSchema), 0});
  }
}

void take_families(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, schema, name, owner, access method
    const Address address{kOperatorFamily, row.oid(0), 0};
    if (!extraction.takes(address, row.oid(1), "operator family", row.text(2))) {
      continue;
    }
    const std::string& schema = extraction.schema_name(row.oid(1));
    Fact fact{.id = {.kind = Kind::OperatorFamily, .schema = schema, .name = row.text(2), .arguments = row.text(4)}};
    set(fact, attribute::kDefinition,
        "CREATE OPERATOR FAMILY " + qualified_name(schema, row.text(2)) + " USING " + quote_identifier(row.text(4)));
    const auto index = extraction.add(address, std::move(fact), row.oid(3));
    extraction.add_edge(index, Address{kNamespace, row.oid(1), 0});
  }
}

enum ClassColumn : std::size_t {
  ClassOid,
  ClassSchema,
  ClassName,
  ClassOwner,
  ClassMethod,
  ClassDefault,
  ClassType,
  ClassFamilySchema,
  ClassFamily,
  ClassStorage,
  ClassFamilyOid
};

constexpr const char* kClasses = R"(SELECT c.oid, c.opcnamespace, c.opcname, c.opcowner, a.amname, c.opcdefault,
 format_type(c.opcintype, NULL), f.opfnamespace, f.opfname, CASE WHEN c.opckeytype <> 0 THEN format_type(c.opckeytype, NULL) END,
 f.oid
FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am a ON a.oid = c.opcmethod JOIN pg_catalog.pg_opfamily f ON f.oid = c.opcfamily
WHERE c.oid >= 16384)";

// The members are added to the definition when their rows are read.
void take_classes(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{kOperatorClass, row.oid(ClassOid), 0};
    if (!extraction.takes(address, row.oid(ClassSchema), "operator class", row.text(ClassName))) {
      continue;
    }
    const std::string& schema = extraction.schema_name(row.oid(ClassSchema));
    Fact fact{
        .id = {.kind = Kind::OperatorClass, .schema = schema, .name = row.text(ClassName), .arguments = row.text(ClassMethod)}};
    std::string sql = "CREATE OPERATOR CLASS " + qualified_name(schema, row.text(ClassName));
    sql += row.flag(ClassDefault) ? " DEFAULT" : "";
    sql += " FOR TYPE " + row.text(ClassType) + " USING " + quote_identifier(row.text(ClassMethod)) + " FAMILY " +
           qualified_name(extraction.schema_name(row.oid(ClassFamilySchema)), row.text(ClassFamily)) + " AS ";
    // A class without members needs something between its name and the members; STORAGE of its own type changes nothing.
    sql += "STORAGE " + (row.has(ClassStorage) ? row.text(ClassStorage) : row.text(ClassType));
    set(fact, attribute::kDefinition, std::move(sql));
    const auto index = extraction.add(address, std::move(fact), row.oid(ClassOwner));
    extraction.add_edge(index, Address{kNamespace, row.oid(ClassSchema), 0});
    extraction.add_edge(index, Address{kOperatorFamily, row.oid(ClassFamilyOid), 0});
  }
}

// A member belongs to a class if it depends on it internally; otherwise it was added to the family.
constexpr const char* kMembers = R"(SELECT 2602, m.oid, m.amopfamily, c.refobjid,
 'OPERATOR ' || m.amopstrategy || ' ' || m.amopopr::regoperator::text ||
 CASE WHEN m.amopsortfamily <> 0 THEN ' FOR ORDER BY ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(f.opfname)
  FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_namespace n ON n.oid = f.opfnamespace WHERE f.oid = m.amopsortfamily)
  ELSE '' END
FROM pg_catalog.pg_amop m LEFT JOIN pg_catalog.pg_depend c ON c.classid = 2602 AND c.objid = m.oid AND c.refclassid = 2616
WHERE m.oid >= 16384
UNION ALL
SELECT 2603, m.oid, m.amprocfamily, c.refobjid, 'FUNCTION ' || m.amprocnum || ' (' || format_type(m.amproclefttype, NULL) ||
 ', ' || format_type(m.amprocrighttype, NULL) || ') ' || m.amproc::oid::regprocedure::text
FROM pg_catalog.pg_amproc m LEFT JOIN pg_catalog.pg_depend c ON c.classid = 2603 AND c.objid = m.oid AND c.refclassid = 2616
WHERE m.oid >= 16384
ORDER BY 1, 5)";

void take_members(const Rows& rows, Extraction& extraction) {
  std::map<std::uint32_t, std::vector<std::string>> of_families;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // catalog, oid, family, class, what
    const Address address{row.oid(0), row.oid(1), 0};
    const Address owner = row.has(3) ? Address{kOperatorClass, row.oid(3), 0} : Address{kOperatorFamily, row.oid(2), 0};
    extraction.carry(address, owner);
    const auto index = extraction.find(owner);
    if (!index) {
      continue;
    }
    Fact& fact = extraction.fact(*index);
    if (fact.id.kind == Kind::OperatorClass) {
      fact.attributes.front().value += ",\n  " + row.text(4);
    } else if (fact.id.kind == Kind::OperatorFamily) {
      of_families[*index].push_back(row.text(4));
    }
  }
  for (auto& [index, members] : of_families) {
    set(extraction.fact(index), attribute::kMembers, json_list(members));
  }
}

void take_casts(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, source, target, function, context, method
    const Address address{catalog_oid::kCast, row.oid(0), 0};
    if (extraction.is_member(address)) {
      continue;
    }
    const std::string types = row.text(1) + " AS " + row.text(2);
    Fact fact{.id = {.kind = Kind::Cast, .arguments = types}};
    std::string sql = "CREATE CAST (" + types + ")";
    const char method = row.letter(5);
    sql += method == 'f' ? " WITH FUNCTION " + row.text(3) : method == 'i' ? " WITH INOUT" : " WITHOUT FUNCTION";
    const char context = row.letter(4);
    sql += context == 'a' ? " AS ASSIGNMENT" : context == 'i' ? " AS IMPLICIT" : "";
    set(fact, attribute::kDefinition, std::move(sql));
    extraction.add(address, std::move(fact));
  }
}

}  // namespace

void add_operator_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({kOperators, take_operators});
  families.push_back({R"(SELECT f.oid, f.opfnamespace, f.opfname, f.opfowner, a.amname
FROM pg_catalog.pg_opfamily f JOIN pg_catalog.pg_am a ON a.oid = f.opfmethod WHERE f.oid >= 16384)",
                      take_families});
  families.push_back({kClasses, take_classes});
  families.push_back({kMembers, take_members});
  // A range type creates a cast to its multirange type.
  families.push_back({R"(SELECT c.oid, format_type(c.castsource, NULL), format_type(c.casttarget, NULL),
 CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END, c.castcontext, c.castmethod
FROM pg_catalog.pg_cast c WHERE c.oid >= 16384
 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 2605 AND d.objid = c.oid AND d.deptype = 'i'))",
                      take_casts});
}

}  // namespace athanor::schema
