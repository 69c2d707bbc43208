#include "migrations/drift/compare_catalog.hpp"

#include <algorithm>
#include <utility>

#include "migrations/schema/difference.hpp"
#include "migrations/schema/facts_version.hpp"

namespace athanor {
namespace {

constexpr int kVersionsInOneMajor = 10'000;

std::string major_of(int version) {
  return "PostgreSQL " + std::to_string(version / kVersionsInOneMajor);
}

// Why the record cannot be compared with the current database; empty if it can.
std::string why_not_comparable(const std::optional<SchemaRecord>& record, int server_version) {
  if (!record) {
    return "no catalog is recorded";
  }
  if (record->half_applied) {
    return "a revision is half-applied";
  }
  if (!record->newer_revision.empty()) {
    return "revision " + record->newer_revision + ", which was run at " + record->newer_at + ", recorded no catalog";
  }
  if (record->facts_version != schema::kFactsVersion) {
    return "the catalog was recorded by " + record->tool + ", which uses another catalog format";
  }
  if (record->server_version / kVersionsInOneMajor != server_version / kVersionsInOneMajor) {
    return "the catalog was recorded on " + major_of(record->server_version) + ", but the server is " +
           major_of(server_version);
  }
  return {};
}

DriftFilter filter_of(const DriftSettings& settings) {
  return {.names = settings.compare, .exclude = settings.exclude};
}

}  // namespace

std::string DriftCheck::since() const {
  if (!record) {
    return {};
  }
  if (record->reason == "accepted") {
    return "the schema was accepted at " + record->recorded_at + " by " + record->actor;
  }
  return record->revision.empty() ? "the last run, at " + record->recorded_at
                                  : "revision " + record->revision + " was run at " + record->applied_at;
}

Result<schema::Catalog> read_catalog_now(Session& session, const DriftSettings& settings,
                                         const std::vector<std::string>& kinds) {
  schema::InspectOptions options;
  options.version_table = settings.version_table;
  options.ledger_schema = settings.ledger_schema;
  apply_kinds(kinds, options);
  DriftFilter own;
  TRY_ASSIGN(own.own_tables, CatalogTable(settings.ledger_schema).version_tables(session));
  TRY_ASSIGN(schema::Catalog catalog, schema::inspect(session, options));
  return filtered(without_secrets(std::move(catalog)), own);
}

Result<DriftCheck> check_drift(Session& session, const DriftSettings& settings) {
  const CatalogTable table(settings.ledger_schema);
  DriftCheck check;
  TRY_ASSIGN(check.record, table.newest(session));
  check.unknown = why_not_comparable(check.record, session.server_version());
  if (!check.unknown.empty()) {
    return check;
  }
  for (const std::string& kind : kinds_of(settings.compare)) {
    if (std::ranges::find(check.record->kinds, kind) == check.record->kinds.end()) {
      check.missing_kinds.push_back(kind);
    }
  }
  TRY_ASSIGN(schema::Catalog live, read_catalog_now(session, settings, check.record->kinds));
  // The usual case: equal digests need neither the recorded catalog nor a filter.
  if (live.fingerprint() == check.record->digest) {
    check.state = DriftCheck::State::Same;
    check.unmatched = schema::unmatched_patterns(settings.compare, {&live});
    return check;
  }
  TRY_ASSIGN(auto expected, table.catalog(session));
  if (!expected) {
    check.unknown = "the recorded catalog cannot be read";
    return check;
  }
  // Only one side contains a version table that was created since the record, so leave them out of both.
  DriftFilter filter = filter_of(settings);
  TRY_ASSIGN(filter.own_tables, table.version_tables(session));
  check.unmatched = schema::unmatched_patterns(settings.compare, {&live, &*expected});
  check.live = filtered(live, filter);
  check.expected = filtered(*expected, filter);
  check.lines = schema::describe_difference(*check.live, *check.expected);
  check.state = check.lines.empty() ? DriftCheck::State::Same : DriftCheck::State::Changed;
  return check;
}

std::vector<std::string> drift_lines(const DriftSettings& settings, const schema::Catalog& live,
                                     const schema::Catalog& expected) {
  const DriftFilter filter = filter_of(settings);
  return schema::describe_difference(filtered(live, filter), filtered(expected, filter));
}

Result<void> accept_catalog(Session& session, const DriftSettings& settings, const std::string& run_id) {
  const auto kinds = kinds_of(settings.compare);
  TRY_ASSIGN(const schema::Catalog catalog, read_catalog_now(session, settings, kinds));
  return CatalogTable(settings.ledger_schema)
      .record(session, catalog, {run_id, settings.version_table, "accepted", settings.actor, kinds});
}

}  // namespace athanor
