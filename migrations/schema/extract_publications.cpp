// Reads publications and subscriptions, each only if requested.
#include <algorithm>
#include <map>

#include "migrations/base/sha256.hpp"
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kClass;
using catalog_oid::kNamespace;
using catalog_oid::kPublication;

void take_publications(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, owner, all tables, operations, via the partition root, generated columns
    const Address address{kPublication, row.oid(0), 0};
    if (extraction.is_member(address)) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::Publication, .name = row.text(1)}};
    set_flag(fact, attribute::kAllTables, row.flag(3));
    std::vector<std::string> options;
    if (row.text(4) != "insert, update, delete, truncate") {
      options.push_back("publish=" + row.text(4));
    }
    if (row.letter(6) == 's') {
      options.emplace_back("publish_generated_columns=stored");
    }
    if (row.flag(5)) {
      options.emplace_back("publish_via_partition_root=true");
    }
    std::ranges::sort(options);
    set(fact, attribute::kOptions, options.empty() ? "" : json_list(options));
    extraction.add(address, std::move(fact), row.oid(2));
  }
}

void take_published_tables(const Rows& rows, Extraction& extraction) {
  std::map<std::uint32_t, std::vector<std::string>> tables;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, publication, table, columns, condition
    const auto publication = extraction.find({kPublication, row.oid(1), 0});
    const Relation* table = extraction.relation(row.oid(2));
    if (!publication || table == nullptr) {
      continue;
    }
    extraction.carry({catalog_oid::kPublicationRelation, row.oid(0), 0}, {kPublication, row.oid(1), 0});
    const std::vector<int> numbers = numbers_in(row.text(3));
    tables[*publication].push_back(
        json_values({json_text(extraction.schema_name(table->schema)), json_text(table->name),
                     row.has(3) ? json_list(Extraction::column_names(*table, numbers)) : "null", json_text(row.text(4))}));
    extraction.add_edge(*publication, Address{kClass, row.oid(2), 0});
    for (const int number : numbers) {
      extraction.add_edge(*publication, Address{kClass, row.oid(2), number});
    }
  }
  for (auto& [publication, members] : tables) {
    std::ranges::sort(members);
    set(extraction.fact(publication), attribute::kTables, json_values(members));
  }
}

void take_published_schemas(const Rows& rows, Extraction& extraction) {
  std::map<std::uint32_t, std::vector<std::string>> schemas;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, publication, schema
    const auto publication = extraction.find({kPublication, row.oid(1), 0});
    if (!publication) {
      continue;
    }
    extraction.carry({catalog_oid::kPublicationNamespace, row.oid(0), 0}, {kPublication, row.oid(1), 0});
    schemas[*publication].push_back(extraction.schema_name(row.oid(2)));
    extraction.add_edge(*publication, Address{kNamespace, row.oid(2), 0});
  }
  for (auto& [publication, members] : schemas) {
    std::ranges::sort(members);
    set(extraction.fact(publication), attribute::kSchemas, json_list(members));
  }
}

void take_subscriptions(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, owner, enabled, connection, publications, options as a JSON array
    Fact fact{.id = {.kind = Kind::Subscription, .name = row.text(1)}};
    std::vector<std::string> publications = array_in(row.text(5));
    std::ranges::sort(publications);
    std::vector<std::string> options = array_in(row.text(6));
    std::erase(options, "");
    std::ranges::sort(options);
    set(fact, attribute::kEnabled, row.flag(3) ? "" : "disabled");
    set(fact, attribute::kConnection, sha256_hex(row.text(4)));
    set(fact, attribute::kPublications, json_list(publications));
    set(fact, attribute::kOptions, options.empty() ? "" : json_list(options));
    extraction.add({catalog_oid::kSubscription, row.oid(0), 0}, std::move(fact), row.oid(2));
  }
}

// Options as CREATE SUBSCRIPTION … WITH expects them, without those that have their default value.
std::string subscriptions(int version) {
  std::string options =
      R"(CASE WHEN s.subslotname IS DISTINCT FROM s.subname THEN 'slot_name=' || COALESCE(s.subslotname, 'NONE') END,
 CASE WHEN s.subsynccommit <> 'off' THEN 'synchronous_commit=' || s.subsynccommit END,
 CASE WHEN s.subbinary THEN 'binary=true' END)";
  if (version >= 180000) {
    options += ", CASE s.substream WHEN 'f' THEN 'streaming=off' WHEN 't' THEN 'streaming=on' END";  // the default is parallel
  } else if (version >= 160000) {
    options += ", CASE s.substream WHEN 't' THEN 'streaming=on' WHEN 'p' THEN 'streaming=parallel' END";
  } else {
    options += ", CASE WHEN s.substream THEN 'streaming=on' END";
  }
  if (version >= 150000) {
    options +=
        ", CASE WHEN s.subtwophasestate <> 'd' THEN 'two_phase=true' END"
        ", CASE WHEN s.subdisableonerr THEN 'disable_on_error=true' END";
  }
  if (version >= 160000) {
    options +=
        ", CASE WHEN NOT s.subpasswordrequired THEN 'password_required=false' END"
        ", CASE WHEN s.subrunasowner THEN 'run_as_owner=true' END"
        ", CASE WHEN s.suborigin <> 'any' THEN 'origin=' || s.suborigin END";
  }
  if (version >= 170000) {
    options += ", CASE WHEN s.subfailover THEN 'failover=true' END";
  }
  return "SELECT s.oid, s.subname, s.subowner, s.subenabled, s.subconninfo, s.subpublications, ARRAY[" + options +
         "] FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid"
         " WHERE d.datname = current_database()";
}

}  // namespace

void add_publication_families(std::vector<Family>& families, const InspectOptions& options, int version) {
  if (options.publications) {
    const std::string generated = version >= 180000 ? "p.pubgencols" : "NULL";
    families.push_back({R"(SELECT p.oid, p.pubname, p.pubowner, p.puballtables,
 concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
  CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END), p.pubviaroot, )" +
                            generated + " FROM pg_catalog.pg_publication p",
                        take_publications});
    const std::string members = version >= 150000 ? "r.prattrs, pg_get_expr(r.prqual, r.prrelid)" : "NULL, NULL";
    families.push_back(
        {"SELECT r.oid, r.prpubid, r.prrelid, " + members + " FROM pg_catalog.pg_publication_rel r", take_published_tables});
    if (version >= 150000) {
      families.push_back(
          {"SELECT n.oid, n.pnpubid, n.pnnspid FROM pg_catalog.pg_publication_namespace n", take_published_schemas});
    }
  }
  if (options.subscriptions) {
    families.push_back({subscriptions(version), take_subscriptions});
  }
}

}  // namespace athanor::schema
