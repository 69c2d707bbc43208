// Reads foreign-data wrappers, servers, user mappings, and the foreign part of foreign tables.
#include <algorithm>

#include "migrations/base/sha256.hpp"
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kForeignDataWrapper;
using catalog_oid::kForeignServer;

void take_wrappers(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, owner, handler's schema, handler, validator's schema, validator, options
    const Address address{kForeignDataWrapper, row.oid(0), 0};
    if (extraction.is_member(address)) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::ForeignDataWrapper, .name = row.text(1)}};
    set(fact, attribute::kHandler, row.has(4) ? json_name(extraction.schema_name(row.oid(3)), row.text(4)) : "");
    set(fact, attribute::kValidator, row.has(6) ? json_name(extraction.schema_name(row.oid(5)), row.text(6)) : "");
    set(fact, attribute::kOptions, row.list(7));
    extraction.add(address, std::move(fact), row.oid(2));
  }
}

void take_servers(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, owner, wrapper, its name, type, version, options
    const Address address{kForeignServer, row.oid(0), 0};
    if (extraction.is_member(address)) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::ForeignServer, .name = row.text(1)}};
    set(fact, attribute::kWrapper, row.text(4));
    set(fact, attribute::kServerType, row.text(5));
    set(fact, attribute::kServerVersion, row.text(6));
    set(fact, attribute::kOptions, row.list(7));
    const auto index = extraction.add(address, std::move(fact), row.oid(2));
    extraction.add_edge(index, Address{kForeignDataWrapper, row.oid(3), 0});
  }
}

void take_mappings(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, server, its name, role, options
    const auto server = extraction.find({kForeignServer, row.oid(1), 0});
    if (!server || extraction.fact(*server).id.kind != Kind::ForeignServer) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::UserMapping, .parent = row.text(2), .name = extraction.role_name(row.oid(3))}};
    std::vector<std::string> options = array_in(row.text(4));
    std::ranges::sort(options);
    // The server shows options only to roles that may use the mapping; for others the mapping seems to have none.
    set(fact, attribute::kOptionsHash, options.empty() ? "" : sha256_hex(json_list(options)));
    const auto index = extraction.add({catalog_oid::kUserMapping, row.oid(0), 0}, std::move(fact));
    extraction.add_edge(index, *server);
  }
}

void take_foreign_tables(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // table, server, its name, options
    const Relation* table = extraction.relation(row.oid(0));
    if (table == nullptr || table->hidden) {
      continue;
    }
    Fact& fact = extraction.fact(table->fact);
    set(fact, attribute::kServer, row.text(2));
    set(fact, attribute::kOptions, row.list(3));
    extraction.add_edge(table->fact, Address{kForeignServer, row.oid(1), 0});
  }
}

}  // namespace

void add_foreign_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({R"(SELECT w.oid, w.fdwname, w.fdwowner, h.pronamespace, h.proname, v.pronamespace, v.proname, w.fdwoptions
FROM pg_catalog.pg_foreign_data_wrapper w
 LEFT JOIN pg_catalog.pg_proc h ON h.oid = w.fdwhandler
 LEFT JOIN pg_catalog.pg_proc v ON v.oid = w.fdwvalidator
WHERE w.oid >= 16384)",
                      take_wrappers});
  families.push_back({R"(SELECT s.oid, s.srvname, s.srvowner, w.oid, w.fdwname, s.srvtype, s.srvversion, s.srvoptions
FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE s.oid >= 16384)",
                      take_servers});
  families.push_back({R"(SELECT m.umid, m.srvid, m.srvname, NULLIF(m.umuser, 0), m.umoptions
FROM pg_catalog.pg_user_mappings m WHERE m.umid >= 16384)",
                      take_mappings});
  families.push_back({R"(SELECT t.ftrelid, s.oid, s.srvname, t.ftoptions
FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver)",
                      take_foreign_tables});
}

}  // namespace athanor::schema
