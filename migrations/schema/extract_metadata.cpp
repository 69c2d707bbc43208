// Reads comments, and owners if requested.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

// A fact about another object: it has the object's id with another kind.
FactId about(FactId id, Kind kind) {
  id.subject = id.kind;
  id.kind = kind;
  return id;
}

void take_comments(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // catalog, object, column, text
    const Address address{row.oid(0), row.oid(1), row.number(2)};
    auto subject = extraction.subject(address);
    // Skip comments on members of an extension, which belong to the extension.
    if (!extraction.find(address) || !subject || extraction.is_member({address.catalog, address.object, 0}) ||
        extraction.is_usual_comment(address, row.text(3))) {
      continue;
    }
    Fact fact{.id = about(std::move(*subject), Kind::Comment)};
    set(fact, attribute::kText, row.text(3));
    // Comments have no address in the catalog; nothing refers to them.
    const auto index =
        extraction.add({catalog_oid::kDescription, static_cast<Oid>(extraction.facts().size()), 0}, std::move(fact));
    extraction.add_edge(index, address);
  }
}

}  // namespace

void add_owner_facts(Extraction& extraction) {
  const auto owners = extraction.owners();
  for (const auto& [owned, role] : owners) {
    Fact fact{.id = about(extraction.fact(owned).id, Kind::Owner)};
    set(fact, attribute::kRole, extraction.role_name(role));
    const auto index =
        extraction.add({catalog_oid::kShdepend, static_cast<Oid>(extraction.facts().size()), 0}, std::move(fact));
    extraction.add_edge(index, owned);
  }
}

void add_metadata_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({R"(SELECT d.classoid, d.objoid, d.objsubid, d.description FROM pg_catalog.pg_description d
WHERE d.objoid >= 16384 OR (d.objoid = 2200 AND d.classoid = 2615 AND d.description <> 'standard public schema'))",
                      take_comments});
}

}  // namespace athanor::schema
