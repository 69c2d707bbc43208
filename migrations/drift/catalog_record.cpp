#include "migrations/drift/catalog_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "migrations/execute/history_table.hpp"
#include "migrations/execute/ledger_parameter.hpp"
#include "migrations/execute/own_tables.hpp"
#include "migrations/execute/version_table.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/facts_version.hpp"
#include "migrations/schema/schema_cache.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr std::size_t kMostBytes = std::size_t{64} << 20U;
constexpr std::array<std::pair<std::string_view, bool schema::InspectOptions::*>, 5> kKinds{{
    {"owners", &schema::InspectOptions::owners},
    {"privileges", &schema::InspectOptions::privileges},
    {"default_privileges", &schema::InspectOptions::default_privileges},
    {"publications", &schema::InspectOptions::publications},
    {"subscriptions", &schema::InspectOptions::subscriptions},
}};

std::string utc(const std::string& time) {
  return "pg_catalog.to_char(pg_catalog.timezone('UTC', " + time + "), 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')";
}

int number_in(const std::string& text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string bytes_in(std::string_view hex) {
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + at, hex.data() + at + 2, value, 16);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

}  // namespace

CatalogTable::CatalogTable(const std::string& ledger_schema)
    : table_(qualified_name(ledger_schema, "catalog")),
      history_(qualified_name(ledger_schema, "history")),
      step_(qualified_name(ledger_schema, "step")) {}

std::string CatalogTable::create_statement() const {
  return "CREATE TABLE IF NOT EXISTS " + table_ +
         " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run_id pg_catalog.text NOT NULL,"
         " version_table pg_catalog.text NOT NULL, history_id bigint NOT NULL, reason pg_catalog.text NOT NULL,"
         " digest pg_catalog.text NOT NULL, facts_version integer NOT NULL, server_version integer NOT NULL,"
         " kinds pg_catalog.text[] NOT NULL, catalog pg_catalog.bytea,"
         " recorded_at pg_catalog.timestamptz NOT NULL DEFAULT pg_catalog.now(), actor pg_catalog.text NOT NULL,"
         " database_user pg_catalog.text NOT NULL DEFAULT session_user, tool pg_catalog.text NOT NULL)";
}

Result<CatalogTable::Present> CatalogTable::check_tables(Session& session, Use use) const {
  TRY_ASSIGN(
      const Rows rows,
      session.query("SELECT " + table_facts("pg_catalog.to_regclass($1)") + ", pg_catalog.to_regclass($2) IS NOT NULL, " +
                        "pg_catalog.to_regclass($3) IS NOT NULL, current_user, pg_catalog.current_setting('is_superuser')",
                    {table_, history_, step_}));
  const TableFacts facts = read_table_facts(rows.cell(0, 0));
  // Reading an ordinary table of another role runs no code. A superuser nevertheless reads only trusted tables.
  const bool readable = use == Use::Read && facts.can_be_read() && rows.text(0, 4) != "on";
  if (facts.exists() && !facts.problem.empty() && !readable) {
    return fail(untrusted_table("the ledger's table " + table_, facts, rows.text(0, 3)));
  }
  return Present{facts.exists(), rows.text(0, 1) == "t", rows.text(0, 2) == "t"};
}

Result<std::optional<SchemaRecord>> CatalogTable::newest(Session& session) const {
  TRY_ASSIGN(const Present present, check_tables(session, Use::Read));
  if (!present.table || !present.history) {
    return std::optional<SchemaRecord>();
  }
  const std::string applied =
      "(SELECT %s FROM " + history_ + " AS h WHERE h.outcome OPERATOR(pg_catalog.=) 'applied' AND h.id OPERATOR(pg_catalog.";
  const auto of_history = [&](const std::string& value, const std::string& which) {
    std::string sql = applied;
    sql.replace(sql.find("%s"), 2, value);
    return sql + which + ") c.history_id ORDER BY h.id DESC LIMIT 1)";
  };
  const std::string half = present.step ? "EXISTS (SELECT FROM " + step_ + ")" : "false";
  auto answer = session.query(
      "SELECT c.digest, " + of_history("h.revision", "<=") + ", " + of_history(utc("h.started_at"), "<=") + ", c.reason, " +
      utc("c.recorded_at") + ", c.actor, c.tool, c.facts_version, c.server_version, c.kinds, " + of_history("h.revision", ">") +
      ", " + of_history(utc("h.started_at"), ">") + ", " + half + " FROM " + table_ + " AS c ORDER BY c.id DESC LIMIT 1");
  if (!answer) {
    return fail(without_column("the ledger's table " + table_, std::move(answer).error()));
  }
  const Rows& rows = *answer;
  if (rows.empty()) {
    return std::optional<SchemaRecord>();
  }
  SchemaRecord record;
  record.digest = rows.text(0, 0);
  record.revision = rows.text(0, 1);
  record.applied_at = rows.text(0, 2);
  record.reason = rows.text(0, 3);
  record.recorded_at = rows.text(0, 4);
  record.actor = rows.text(0, 5);
  record.tool = rows.text(0, 6);
  record.facts_version = number_in(rows.text(0, 7));
  record.server_version = number_in(rows.text(0, 8));
  record.kinds = schema::array_in(rows.text(0, 9));
  record.newer_revision = rows.text(0, 10);
  record.newer_at = rows.text(0, 11);
  record.half_applied = rows.text(0, 12) == "t";
  return std::optional(std::move(record));
}

Result<std::optional<schema::Catalog>> CatalogTable::catalog(Session& session) const {
  TRY_ASSIGN(const Rows rows, session.query("SELECT pg_catalog.encode(c.catalog, 'hex'), c.digest FROM " + table_ +
                                            " AS c ORDER BY c.id DESC LIMIT 1"));
  // Another version of the program may have written it, so check the digest as well.
  auto catalog = schema::read_catalog(bytes_in(rows.text(0, 0)));
  if (catalog && catalog->fingerprint() != rows.text(0, 1)) {
    catalog.reset();
  }
  return catalog;
}

Result<void> CatalogTable::record(Session& session, const schema::Catalog& catalog, const Entry& entry) const {
  const std::string bytes = schema::write_catalog(catalog);
  if (bytes.size() > kMostBytes) {
    return fail(ErrorCode::FileTooLarge, "the catalog is " + std::to_string(bytes.size() >> 20U) +
                                             " MiB, more than the ledger's limit of " + std::to_string(kMostBytes >> 20U) +
                                             " MiB");
  }
  TRY_ASSIGN(const Present present, check_tables(session, Use::Write));
  Transaction transaction;
  if (!present.table) {
    transaction.commands.push_back({create_statement(), {}, ""});
  }
  transaction.commands.push_back(
      {"INSERT INTO " + table_ +
           " (run_id, version_table, history_id, reason, digest, facts_version, server_version, kinds, catalog, actor, tool)"
           " VALUES ($1, $2, (SELECT coalesce(pg_catalog.max(h.id), 0) FROM " +
           history_ + " AS h), $3, $4, $5::integer, $6::integer, $7::pg_catalog.text[], $8::pg_catalog.bytea, $9, $10)",
       {text_parameter(entry.run_id), text_parameter(entry.version_table), text_parameter(entry.reason),
        text_parameter(catalog.fingerprint()), text_parameter(std::to_string(schema::kFactsVersion)),
        text_parameter(std::to_string(catalog.server_version)), text_parameter(array_literal(entry.kinds)),
        text_parameter(bytea_literal(bytes)), text_parameter(entry.actor), text_parameter(tool_name())},
       ""});
  transaction.commands.push_back({"UPDATE " + table_ +
                                      " SET catalog = NULL WHERE catalog IS NOT NULL AND id OPERATOR(pg_catalog.<) (SELECT "
                                      "pg_catalog.max(c.id) FROM " +
                                      table_ + " AS c)",
                                  {},
                                  ""});
  TRY(session.submit(transaction));
  TRY_ASSIGN(TransactionOutcome outcome, session.collect());
  if (!outcome.error) {
    return {};
  }
  if (session.alive()) {
    TRY(session.recover());
  }
  return fail(std::move(*outcome.error));
}

Result<std::vector<std::string>> CatalogTable::version_tables(Session& session) const {
  std::vector<std::string> names;
  TRY_ASSIGN(const Present present, check_tables(session, Use::Read));
  if (present.history) {
    TRY_ASSIGN(const Rows rows, session.query("SELECT DISTINCT h.version_table FROM " + history_ + " AS h"));
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      names.push_back(rows.text(row, 0));
    }
  }
  return names;
}

std::vector<std::string> kinds_of(const schema::InspectOptions& options) {
  std::vector<std::string> kinds;
  for (const auto& [name, wanted] : kKinds) {
    if (options.*wanted) {
      kinds.emplace_back(name);
    }
  }
  return kinds;
}

void apply_kinds(const std::vector<std::string>& kinds, schema::InspectOptions& options) {
  for (const auto& [name, wanted] : kKinds) {
    options.*wanted = std::ranges::find(kinds, name) != kinds.end();
  }
}

}  // namespace athanor
