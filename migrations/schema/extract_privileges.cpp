// Reads privileges that differ from an object's initial ones, and default privileges, each only if requested.
//
// A grant names an object, or a column, and a grantee. Initially the owner has all privileges, and PUBLIC may execute
// functions, use types, and use the schema public (14: also create in it). A fact states all privileges of a grantee whose
// privileges differ from these: "[]" if all were revoked.
#include <algorithm>
#include <map>
#include <tuple>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

struct Privileges {
  std::map<std::string, bool> granted{};  // privilege → with grant option; true if any grantor gave it
  std::map<std::string, bool> usual{};
};

std::string privileges_text(const std::map<std::string, bool>& privileges) {
  std::vector<std::string> values;
  for (const auto& [privilege, grantable] : privileges) {
    values.push_back("[" + json_text(privilege) + (grantable ? ",true]" : ",false]"));
  }
  return json_values(values);
}

enum PrivilegeColumn : std::size_t { AclCatalog, AclObject, AclColumn, AclUsual, AclGrantee, AclPrivilege, AclGrantable };

// `object` has catalog, oid, column, acldefault's type, owner and ACL of every object whose privileges were ever
// changed. The schema public is always one of them: initdb grants on it, which no CREATE SCHEMA repeats, and pg_init_privs
// forgets that when it is dropped, and names the first owner for ever.
constexpr const char* kPrivileges = R"(WITH object (catalog, oid, col, type, owner, acl) AS (
 SELECT 1259, c.oid, 0, CASE WHEN c.relkind = 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner, c.relacl
  FROM pg_catalog.pg_class c WHERE c.oid >= 16384 AND c.relacl IS NOT NULL AND c.relpersistence <> 't'
 UNION ALL SELECT 1259, a.attrelid, a.attnum::int, 'c'::"char", c.relowner, a.attacl
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
  WHERE a.attrelid >= 16384 AND a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relpersistence <> 't'
 UNION ALL SELECT 1255, p.oid, 0, 'f'::"char", p.proowner, p.proacl
  FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND p.proacl IS NOT NULL
 UNION ALL SELECT 1247, t.oid, 0, 'T'::"char", t.typowner, t.typacl
  FROM pg_catalog.pg_type t WHERE t.oid >= 16384 AND t.typacl IS NOT NULL
 UNION ALL SELECT 2615, n.oid, 0, 'n'::"char", n.nspowner, n.nspacl
  FROM pg_catalog.pg_namespace n WHERE n.nspacl IS NOT NULL AND n.nspname <> 'public'
 UNION ALL SELECT 2328, w.oid, 0, 'F'::"char", w.fdwowner, w.fdwacl
  FROM pg_catalog.pg_foreign_data_wrapper w WHERE w.fdwacl IS NOT NULL
 UNION ALL SELECT 1417, s.oid, 0, 'S'::"char", s.srvowner, s.srvacl
  FROM pg_catalog.pg_foreign_server s WHERE s.srvacl IS NOT NULL)
SELECT o.catalog, o.oid, o.col, false, e.grantee, e.privilege_type, e.is_grantable
 FROM object o, aclexplode(o.acl) e
UNION ALL
SELECT o.catalog, o.oid, o.col, true, e.grantee, e.privilege_type, e.is_grantable
 FROM object o LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = o.catalog AND i.objoid = o.oid AND i.objsubid = o.col,
 aclexplode(COALESCE(i.initprivs, acldefault(o.type, o.owner))) e
UNION ALL
SELECT 2615, n.oid, 0, false, e.grantee, e.privilege_type, e.is_grantable
 FROM pg_catalog.pg_namespace n, aclexplode(COALESCE(n.nspacl, acldefault('n', n.nspowner))) e WHERE n.nspname = 'public'
UNION ALL
SELECT 2615, n.oid, 0, true, e.grantee, e.privilege_type, e.is_grantable
 FROM pg_catalog.pg_namespace n, LATERAL (SELECT * FROM aclexplode(acldefault('n', n.nspowner))
  UNION ALL SELECT n.nspowner, 0, 'USAGE', false
  UNION ALL SELECT n.nspowner, 0, 'CREATE', false WHERE current_setting('server_version_num')::int < 150000) e
 WHERE n.nspname = 'public')";

void merge(Privileges& privileges, bool usual, const std::string& privilege, bool grantable) {
  bool& option = (usual ? privileges.usual : privileges.granted)[privilege];
  option = option || grantable;
}

void take_privileges(const Rows& rows, Extraction& extraction) {
  std::map<std::tuple<Oid, Oid, int, Oid>, Privileges> found;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    auto& privileges = found[{row.oid(AclCatalog), row.oid(AclObject), row.number(AclColumn), row.oid(AclGrantee)}];
    merge(privileges, row.flag(AclUsual), row.text(AclPrivilege), row.flag(AclGrantable));
  }
  for (const auto& [key, privileges] : found) {
    const auto& [catalog, object, column, grantee] = key;
    const auto subject = extraction.subject({catalog, object, 0});
    const Address address{catalog, object, column};
    if (privileges.granted == privileges.usual || !subject || !extraction.find(address)) {
      continue;
    }
    FactId id = *subject;
    id.subject = id.kind;
    id.kind = Kind::Grant;
    id.grantee = grantee == 0 ? "" : extraction.role_name(grantee);
    if (column != 0) {
      const Relation* relation = extraction.relation(object);
      const ColumnRow* described = relation != nullptr ? relation->column(column) : nullptr;
      if (described == nullptr) {
        continue;
      }
      id.column = described->name;
    }
    Fact fact{.id = std::move(id)};
    set(fact, attribute::kPrivileges, privileges_text(privileges.granted));
    // Grants have no address in the catalog; nothing refers to them.
    const auto index =
        extraction.add({catalog_oid::kShdepend, static_cast<Oid>(extraction.facts().size()), 0}, std::move(fact));
    extraction.add_edge(index, address);
  }
}

// Default privileges of one schema add to the global ones. Only the global ones start from PostgreSQL's built-in privileges.
constexpr const char* kDefaultPrivileges = R"(SELECT d.defaclrole, d.defaclnamespace, d.defaclobjtype, false, e.grantee,
 e.privilege_type, e.is_grantable
FROM pg_catalog.pg_default_acl d, aclexplode(d.defaclacl) e
UNION ALL
SELECT d.defaclrole, d.defaclnamespace, d.defaclobjtype, true, e.grantee, e.privilege_type, e.is_grantable
FROM pg_catalog.pg_default_acl d,
 aclexplode(acldefault(CASE WHEN d.defaclobjtype = 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)) e
WHERE d.defaclnamespace = 0)";

std::string object_word(char type) {
  switch (type) {
    case 'r':
      return "tables";
    case 'S':
      return "sequences";
    case 'f':
      return "functions";
    case 'T':
      return "types";
    case 'n':
      return "schemas";
    case 'L':
      return "large objects";
    default:
      return std::string(1, type);
  }
}

void take_default_privileges(const Rows& rows, Extraction& extraction) {
  std::map<std::tuple<Oid, Oid, char, Oid>, Privileges> found;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // role, schema, object type, usual, grantee, privilege, grantable
    merge(found[{row.oid(0), row.oid(1), row.letter(2), row.oid(4)}], row.flag(3), row.text(5), row.flag(6));
  }
  for (const auto& [key, privileges] : found) {
    const auto& [role, schema, type, grantee] = key;
    const bool in_schema = schema != 0;
    if (privileges.granted == privileges.usual || (in_schema && !extraction.is_user_schema(schema)) ||
        extraction.is_hidden_schema(schema)) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::DefaultPrivilege,
                     .schema = in_schema ? extraction.schema_name(schema) : "",
                     .name = extraction.role_name(role),
                     .arguments = object_word(type),
                     .grantee = grantee == 0 ? "" : extraction.role_name(grantee)}};
    set(fact, attribute::kPrivileges, privileges_text(privileges.granted));
    const auto index =
        extraction.add({catalog_oid::kDefaultAcl, static_cast<Oid>(extraction.facts().size()), 0}, std::move(fact));
    if (in_schema) {
      extraction.add_edge(index, Address{catalog_oid::kNamespace, schema, 0});
    }
  }
}

}  // namespace

void add_privilege_families(std::vector<Family>& families, const InspectOptions& options, int /*version*/) {
  if (options.privileges) {
    families.push_back({kPrivileges, take_privileges});
  }
  if (options.default_privileges) {
    families.push_back({kDefaultPrivileges, take_default_privileges});
  }
}

}  // namespace athanor::schema
