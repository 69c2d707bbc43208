// Reads the queries of views and materialized views, and rules.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kClass;
using catalog_oid::kRewrite;

enum RuleColumn : std::size_t { RuleOid, RuleRelation, RuleName, RuleEnabled, RuleDefinition };

// The server prints queries and rules with a final semicolon.
std::string without_semicolon(std::string text) {
  while (!text.empty() && (text.back() == ';' || text.back() == '\n' || text.back() == ' ')) {
    text.pop_back();
  }
  return text;
}

std::string enabled_word(char letter) {
  return letter == 'D' ? "disabled" : letter == 'R' ? "replica" : letter == 'A' ? "always" : "";
}

// A view's query is a rule in the catalog, so whatever depends on that rule depends on the view.
void take_rules(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Address address{kRewrite, row.oid(RuleOid), 0};
    const Address relation_address{kClass, row.oid(RuleRelation), 0};
    const Relation* relation = extraction.relation(row.oid(RuleRelation));
    const bool is_query = row.text(RuleName) == "_RETURN";
    if (relation == nullptr || relation->hidden || is_query) {
      extraction.carry(address, relation_address);
      if (relation != nullptr && !relation->hidden) {
        set(extraction.fact(relation->fact), attribute::kDefinition, without_semicolon(row.text(RuleDefinition)));
      }
      continue;
    }
    Fact fact{.id = {.kind = Kind::Rule,
                     .schema = extraction.schema_name(relation->schema),
                     .parent = relation->name,
                     .name = row.text(RuleName)}};
    set(fact, attribute::kEnabled, enabled_word(row.letter(RuleEnabled)));
    set(fact, attribute::kDefinition, without_semicolon(row.text(RuleDefinition)));
    const auto index = extraction.add(address, std::move(fact));
    extraction.add_edge(index, relation->fact);
  }
}

}  // namespace

void add_view_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({R"(SELECT r.oid, r.ev_class, r.rulename, NULLIF(r.ev_enabled, 'O'),
 CASE WHEN r.rulename = '_RETURN' THEN pg_get_viewdef(r.ev_class) ELSE pg_get_ruledef(r.oid) END
FROM pg_catalog.pg_rewrite r WHERE r.oid >= 16384
 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = r.ev_class AND d.deptype = 'e'))",
                      take_rules});
}

}  // namespace athanor::schema
