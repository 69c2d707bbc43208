#include "migrations/schema/inspect.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "migrations/schema/extraction.hpp"

namespace athanor::schema {
namespace {

constexpr std::size_t kAtOnce = 16;
constexpr int kMostAttempts = 10;

// One snapshot for all queries, and the settings that affect how the server prints texts. With this search_path, unqualified
// names mean PostgreSQL's own functions and operators even if a user schema contains others of the same name, and names of user
// objects are printed with their schema. SET LOCAL ends with the transaction.
std::vector<Command> opening() {
  return {{"BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", {}, ""},
          {"SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
           " pg_catalog.set_config('quote_all_identifiers', 'off', true),"
           " pg_catalog.set_config('standard_conforming_strings', 'on', true),"
           " pg_catalog.set_config('datestyle', 'ISO, MDY', true),"
           " pg_catalog.set_config('intervalstyle', 'postgres', true),"
           " pg_catalog.set_config('timezone', 'UTC', true),"
           " pg_catalog.set_config('extra_float_digits', '1', true),"
           " pg_catalog.set_config('bytea_output', 'hex', true),"
           " pg_catalog.set_config('xmlbinary', 'base64', true),"
           // Compiling a catalog query takes longer than running it.
           " pg_catalog.set_config('jit', 'off', true)",
           {},
           ""}};
}

}  // namespace

std::vector<Family> families_for(const InspectOptions& options, int version) {
  std::vector<Family> families;
  add_schema_families(families, version);
  add_type_families(families, version);
  add_table_families(families, version);
  add_constraint_families(families, version);
  add_index_families(families, version);
  add_routine_families(families, version);
  add_operator_families(families, version);
  add_text_search_families(families, version);
  add_view_families(families, version);
  add_trigger_families(families, version);
  add_foreign_families(families, version);
  add_publication_families(families, options, version);
  add_metadata_families(families, version);
  add_privilege_families(families, options, version);
  add_unmodelled_families(families, version);
  add_dependency_families(families, version);
  return families;
}

namespace {

Result<std::vector<Rows>> ask(Session& session, const std::vector<Command>& commands) {
  TRY_ASSIGN(auto answers, session.query_each(commands));
  std::vector<Rows> rows;
  for (auto& answer : answers) {
    if (!answer) {
      return fail(std::move(answer).error());
    }
    rows.push_back(std::move(*answer));
  }
  return rows;
}

// The queries to send in one round trip. All their answers are in memory together, so a large query travels alone.
std::span<const Family> next_group(std::span<const Family> families) {
  std::size_t size = 1;
  while (size < std::min(kAtOnce, families.size()) && !families[size - 1].large && !families[size].large) {
    ++size;
  }
  return families.first(size);
}

Result<Catalog> read_all(Session& session, const InspectOptions& options) {
  TRY(ask(session, opening()));
  Extraction extraction(options, session.server_version());
  const std::vector<Family> families = families_for(options, session.server_version());
  for (std::size_t first = 0; first < families.size();) {
    const auto group = next_group(std::span(families).subspan(first));
    first += group.size();
    std::vector<Command> commands;
    commands.reserve(group.size());
    for (const Family& family : group) {
      commands.push_back({family.sql, {}, ""});
    }
    TRY_ASSIGN(std::vector<Rows> answers, ask(session, commands));
    for (std::size_t index = 0; index < group.size(); ++index) {
      group[index].take(answers[index], extraction);
      answers[index] = {};
    }
  }
  TRY(ask(session, {{"COMMIT", {}, ""}}));
  if (options.owners) {
    add_owner_facts(extraction);
  }
  return std::move(extraction).finish();
}

// pg_get_*def() and the like use the current catalog, not the transaction's snapshot. For an object dropped meanwhile they
// fail, often with an internal error ("cache lookup failed"). A new attempt does not see the object any more.
bool may_have_changed(const Error& error) {
  constexpr std::array<std::string_view, 4> kStates{"XX000", "42P01", "42704", "42883"};
  return std::ranges::find(kStates, error.sqlstate) != kStates.end();
}

}  // namespace

Result<Catalog> inspect(Session& session, const InspectOptions& options) {
  for (int attempt = 1;; ++attempt) {
    auto catalog = read_all(session, options);
    if (catalog) {
      return catalog;
    }
    if (session.alive()) {
      TRY(session.roll_back());
    }
    if (attempt == kMostAttempts || !may_have_changed(catalog.error())) {
      return fail(std::move(catalog).error());
    }
  }
}

}  // namespace athanor::schema
