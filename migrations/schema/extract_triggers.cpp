// Reads triggers, event triggers and row-level security policies.
#include <algorithm>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

using catalog_oid::kClass;
using catalog_oid::kConstraint;
using catalog_oid::kPolicy;
using catalog_oid::kTrigger;

std::string enabled_word(char letter) {
  return letter == 'D' ? "disabled" : letter == 'R' ? "replica" : letter == 'A' ? "always" : "";
}

void take_triggers(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, table, name, enabled, constraint, definition
    const Address address{kTrigger, row.oid(0), 0};
    if (row.has(4)) {  // a constraint trigger also has an entry in pg_constraint
      extraction.carry({kConstraint, row.oid(4), 0}, address);
    }
    const Relation* table = extraction.relation(row.oid(1));
    if (table == nullptr || table->hidden) {
      extraction.carry(address, {kClass, row.oid(1), 0});
      continue;
    }
    Fact fact{.id = {.kind = Kind::Trigger,
                     .schema = extraction.schema_name(table->schema),
                     .parent = table->name,
                     .name = row.text(2)}};
    set(fact, attribute::kEnabled, enabled_word(row.letter(3)));
    set(fact, attribute::kDefinition, row.text(5));
    const auto index = extraction.add(address, std::move(fact));
    extraction.add_edge(index, table->fact);
  }
}

std::string command_word(char letter) {
  switch (letter) {
    case 'r':
      return "SELECT";
    case 'a':
      return "INSERT";
    case 'w':
      return "UPDATE";
    case 'd':
      return "DELETE";
    default:
      return "ALL";
  }
}

void take_policies(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, table, name, command, permissive, roles, using, check
    const Address address{kPolicy, row.oid(0), 0};
    const Relation* table = extraction.relation(row.oid(1));
    if (table == nullptr || table->hidden) {
      extraction.carry(address, {kClass, row.oid(1), 0});
      continue;
    }
    Fact fact{
        .id = {
            .kind = Kind::Policy, .schema = extraction.schema_name(table->schema), .parent = table->name, .name = row.text(2)}};
    std::vector<std::string> roles;
    for (const std::string& role : array_in(row.text(5))) {
      if (role != "0") {
        roles.push_back(extraction.role_name(oid_in(role)));
      }
    }
    std::ranges::sort(roles);
    set(fact, attribute::kCommand, command_word(row.letter(3)));
    set_flag(fact, attribute::kRestrictive, !row.flag(4));
    set(fact, attribute::kRoles, json_list(roles));
    set(fact, attribute::kUsing, row.text(6));
    set(fact, attribute::kCheck, row.text(7));
    const auto index = extraction.add(address, std::move(fact));
    extraction.add_edge(index, table->fact);
  }
}

void take_event_triggers(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);  // oid, name, event, owner, enabled, tags, function's schema, function
    const Address address{catalog_oid::kEventTrigger, row.oid(0), 0};
    if (extraction.is_member(address)) {
      continue;
    }
    Fact fact{.id = {.kind = Kind::EventTrigger, .name = row.text(1)}};
    set(fact, attribute::kCommand, row.text(2));
    set(fact, attribute::kEnabled, enabled_word(row.letter(4)));
    set(fact, attribute::kTags, row.list(5));
    set(fact, attribute::kFunction, json_name(extraction.schema_name(row.oid(6)), row.text(7)));
    extraction.add(address, std::move(fact), row.oid(3));
  }
}

}  // namespace

void add_trigger_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({R"(SELECT t.oid, t.tgrelid, t.tgname, NULLIF(t.tgenabled, 'O'), NULLIF(t.tgconstraint, 0),
 pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t WHERE t.oid >= 16384 AND NOT t.tgisinternal AND t.tgparentid = 0)",
                      take_triggers});
  families.push_back({R"(SELECT p.oid, p.polrelid, p.polname, p.polcmd, p.polpermissive, p.polroles,
 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_catalog.pg_policy p WHERE p.oid >= 16384)",
                      take_policies});
  families.push_back({R"(SELECT e.oid, e.evtname, e.evtevent, e.evtowner, NULLIF(e.evtenabled, 'O'), e.evttags, p.pronamespace,
 p.proname
FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid WHERE e.oid >= 16384)",
                      take_event_triggers});
}

}  // namespace athanor::schema
