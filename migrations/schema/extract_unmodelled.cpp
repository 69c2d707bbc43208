// Reads the names of user objects whose kinds facts do not model, so that they can be reported.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

// Kinds with a schema return its oid. Kinds unknown to this version of Athanor are named by PostgreSQL's letter.
constexpr const char* kUnmodelled = R"(SELECT 'base type', 1247, t.oid, t.typnamespace, t.typname FROM pg_catalog.pg_type t
 WHERE t.oid >= 16384 AND t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
UNION ALL SELECT 'type of the kind ' || t.typtype::text, 1247, t.oid, t.typnamespace, t.typname FROM pg_catalog.pg_type t
 WHERE t.oid >= 16384 AND t.typtype NOT IN ('b', 'p', 'c', 'd', 'e', 'r', 'm')
UNION ALL SELECT 'relation of the kind ' || c.relkind::text, 1259, c.oid, c.relnamespace, c.relname FROM pg_catalog.pg_class c
 WHERE c.oid >= 16384 AND c.relkind NOT IN ('r', 'p', 'v', 'm', 'f', 'S', 'c', 'i', 'I', 't')
UNION ALL SELECT 'routine of the kind ' || p.prokind::text, 1255, p.oid, p.pronamespace, p.proname FROM pg_catalog.pg_proc p
 WHERE p.oid >= 16384 AND p.prokind NOT IN ('f', 'p', 'w', 'a')
UNION ALL SELECT 'constraint of the kind ' || c.contype::text, 2606, c.oid, c.connamespace, c.conname FROM pg_catalog.pg_constraint c
 WHERE c.oid >= 16384 AND c.contype NOT IN ('c', 'f', 'p', 'u', 't', 'x', 'n')
UNION ALL SELECT 'conversion', 2607, c.oid, c.connamespace, c.conname FROM pg_catalog.pg_conversion c WHERE c.oid >= 16384
UNION ALL SELECT 'language', 2612, l.oid, NULL, l.lanname FROM pg_catalog.pg_language l WHERE l.oid >= 16384
UNION ALL SELECT 'access method', 2601, a.oid, NULL, a.amname FROM pg_catalog.pg_am a WHERE a.oid >= 16384
UNION ALL SELECT 'transform', 3576, t.oid, NULL, 'FOR ' || format_type(t.trftype, NULL) || ' LANGUAGE ' || l.lanname
 FROM pg_catalog.pg_transform t JOIN pg_catalog.pg_language l ON l.oid = t.trflang WHERE t.oid >= 16384
UNION ALL SELECT 'security label', 0, s.objoid, NULL, s.provider || ' ' || s.objoid FROM pg_catalog.pg_seclabel s
 WHERE s.objoid >= 16384
ORDER BY 1, 5)";

void take_unmodelled(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // kind, catalog, object, schema, name
    const Address address{row.oid(1), row.oid(2), 0};
    const bool has_schema = row.has(3);
    if (extraction.is_member(address) || (has_schema && !extraction.takes(address, row.oid(3), row.text(0), row.text(4)))) {
      continue;
    }
    extraction.count_unmodelled(row.text(0), has_schema ? extraction.schema_name(row.oid(3)) + "." + row.text(4) : row.text(4));
  }
}

}  // namespace

void add_unmodelled_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({kUnmodelled, take_unmodelled});
}

}  // namespace athanor::schema
