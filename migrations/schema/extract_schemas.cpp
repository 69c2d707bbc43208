// Reads schemas, roles, extensions and their members.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

void take_schemas(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, owner, is it the user's
    const Oid oid = row.oid(0);
    extraction.add_schema(oid, row.text(1), row.flag(3));
    const Address address{catalog_oid::kNamespace, oid, 0};
    if (extraction.takes(address, oid, "schema", row.text(1))) {
      extraction.add(address, {.id = {.kind = Kind::Schema, .name = row.text(1)}}, row.oid(2));
    }
  }
}

void take_roles(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    extraction.add_role(row.oid(0), row.text(1));
  }
}

void take_extensions(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, schema, the comment that it comes with
    Fact fact{.id = {.kind = Kind::Extension, .name = row.text(1)}};
    set(fact, attribute::kSchema, extraction.schema_name(row.oid(2)));
    const Address address{catalog_oid::kExtension, row.oid(0), 0};
    extraction.add_usual_comment(address, row.text(3));
    const auto index = extraction.add(address, std::move(fact));
    extraction.add_edge(index, Address{catalog_oid::kNamespace, row.oid(2), 0});
  }
}

void take_members(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // catalog, object, extension
    extraction.add_member({row.oid(0), row.oid(1), 0}, row.oid(2));
  }
}

}  // namespace

void add_schema_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({R"(SELECT d.classid, d.objid, d.refobjid FROM pg_catalog.pg_depend d
WHERE d.refclassid = 3079 AND d.deptype = 'e')",
                      take_members});
  families.push_back({R"(SELECT n.oid, n.nspname, n.nspowner, n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
FROM pg_catalog.pg_namespace n)",
                      take_schemas});
  families.push_back({"SELECT r.oid, r.rolname FROM pg_catalog.pg_roles r", take_roles});
  // Every new database contains PL/pgSQL.
  families.push_back({R"(SELECT e.oid, e.extname, e.extnamespace, a.comment
FROM pg_catalog.pg_extension e LEFT JOIN pg_catalog.pg_available_extensions() a ON a.name = e.extname
WHERE e.extname <> 'plpgsql')",
                      take_extensions});
}

}  // namespace athanor::schema
