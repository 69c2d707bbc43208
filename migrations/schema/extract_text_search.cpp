// Reads text search parsers, templates, dictionaries and configurations.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kNamespace;
using catalog_oid::kTextSearchConfiguration;
using catalog_oid::kTextSearchDictionary;
using catalog_oid::kTextSearchParser;
using catalog_oid::kTextSearchTemplate;

void take_functions(const Rows& rows, Extraction& extraction, Kind kind, Oid catalog, const std::string& word) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, schema, name, "START = f, …"
    const Address address{catalog, row.oid(0), 0};
    if (!extraction.takes(address, row.oid(1), kind_name(kind), row.text(2))) {
      continue;
    }
    const std::string& schema = extraction.schema_name(row.oid(1));
    Fact fact{.id = {.kind = kind, .schema = schema, .name = row.text(2)}};
    set(fact, attribute::kDefinition,
        "CREATE TEXT SEARCH " + word + ' ' + qualified_name(schema, row.text(2)) + " (" + row.text(3) + ')');
    const auto index = extraction.add(address, std::move(fact));
    extraction.add_edge(index, Address{kNamespace, row.oid(1), 0});
  }
}

void take_parsers(const Rows& rows, Extraction& extraction) {
  take_functions(rows, extraction, Kind::TextSearchParser, kTextSearchParser, "PARSER");
}

void take_templates(const Rows& rows, Extraction& extraction) {
  take_functions(rows, extraction, Kind::TextSearchTemplate, kTextSearchTemplate, "TEMPLATE");
}

void take_dictionaries(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, schema, name, owner, template's schema, template, options
    const Address address{kTextSearchDictionary, row.oid(0), 0};
    if (!extraction.takes(address, row.oid(1), "text search dictionary", row.text(2))) {
      continue;
    }
    const std::string& schema = extraction.schema_name(row.oid(1));
    Fact fact{.id = {.kind = Kind::TextSearchDictionary, .schema = schema, .name = row.text(2)}};
    set(fact, attribute::kDefinition,
        "CREATE TEXT SEARCH DICTIONARY " + qualified_name(schema, row.text(2)) + " (TEMPLATE = " +
            qualified_name(extraction.schema_name(row.oid(4)), row.text(5)) + (row.has(6) ? ", " + row.text(6) : "") + ")");
    const auto index = extraction.add(address, std::move(fact), row.oid(3));
    extraction.add_edge(index, Address{kNamespace, row.oid(1), 0});
  }
}

void take_configurations(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, schema, name, owner, parser's schema, parser
    const Address address{kTextSearchConfiguration, row.oid(0), 0};
    if (!extraction.takes(address, row.oid(1), "text search configuration", row.text(2))) {
      continue;
    }
    const std::string& schema = extraction.schema_name(row.oid(1));
    Fact fact{.id = {.kind = Kind::TextSearchConfiguration, .schema = schema, .name = row.text(2)}};
    set(fact, attribute::kDefinition,
        "CREATE TEXT SEARCH CONFIGURATION " + qualified_name(schema, row.text(2)) +
            " (PARSER = " + qualified_name(extraction.schema_name(row.oid(4)), row.text(5)) + ")");
    const auto index = extraction.add(address, std::move(fact), row.oid(3));
    extraction.add_edge(index, Address{kNamespace, row.oid(1), 0});
  }
}

constexpr const char* kMappings = R"(SELECT m.mapcfg, t.alias, d.dictnamespace, d.dictname
FROM pg_catalog.pg_ts_config_map m
 JOIN pg_catalog.pg_ts_config c ON c.oid = m.mapcfg
 JOIN LATERAL ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
 JOIN pg_catalog.pg_ts_dict d ON d.oid = m.mapdict
WHERE m.mapcfg >= 16384 ORDER BY m.mapcfg, t.alias, m.mapseqno)";

void take_mappings(const Rows& rows, Extraction& extraction) {
  for (std::size_t first = 0; first < rows.rows.size();) {
    const Oid configuration = CatalogRow(rows.rows[first]).oid(0);
    std::vector<std::string> mappings;
    while (first < rows.rows.size() && CatalogRow(rows.rows[first]).oid(0) == configuration) {
      const std::string& token = CatalogRow(rows.rows[first]).text(1);
      std::vector<std::string> dictionaries;
      for (; first < rows.rows.size(); ++first) {
        const CatalogRow row(rows.rows[first]);
        if (row.oid(0) != configuration || row.text(1) != token) {
          break;
        }
        dictionaries.push_back(json_name(extraction.schema_name(row.oid(2)), row.text(3)));
      }
      mappings.push_back(json_values({json_text(token), json_values(dictionaries)}));
    }
    const auto index = extraction.find({kTextSearchConfiguration, configuration, 0});
    if (index && extraction.fact(*index).id.kind == Kind::TextSearchConfiguration) {
      set(extraction.fact(*index), attribute::kMappings, json_values(mappings));
    }
  }
}

}  // namespace

void add_text_search_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({R"(SELECT p.oid, p.prsnamespace, p.prsname, concat_ws(', ', 'START = ' || p.prsstart::regproc::text,
 'GETTOKEN = ' || p.prstoken::regproc::text, 'END = ' || p.prsend::regproc::text, 'LEXTYPES = ' || p.prslextype::regproc::text,
 'HEADLINE = ' || NULLIF(p.prsheadline, 0)::regproc::text) FROM pg_catalog.pg_ts_parser p WHERE p.oid >= 16384)",
                      take_parsers});
  families.push_back(
      {R"(SELECT t.oid, t.tmplnamespace, t.tmplname, concat_ws(', ', 'INIT = ' || NULLIF(t.tmplinit, 0)::regproc::text,
 'LEXIZE = ' || t.tmpllexize::regproc::text) FROM pg_catalog.pg_ts_template t WHERE t.oid >= 16384)",
       take_templates});
  families.push_back({R"(SELECT d.oid, d.dictnamespace, d.dictname, d.dictowner, t.tmplnamespace, t.tmplname, d.dictinitoption
FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate WHERE d.oid >= 16384)",
                      take_dictionaries});
  families.push_back({R"(SELECT c.oid, c.cfgnamespace, c.cfgname, c.cfgowner, p.prsnamespace, p.prsname
FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser WHERE c.oid >= 16384)",
                      take_configurations});
  families.push_back({kMappings, take_mappings});
}

}  // namespace athanor::schema
