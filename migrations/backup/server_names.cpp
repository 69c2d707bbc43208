#include "migrations/backup/server_names.hpp"

#include "migrations/execute/own_tables.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// pg_temp must be named: otherwise PostgreSQL searches it first for tables.
constexpr std::string_view kPin = "pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)";

}  // namespace

Result<std::string> use_server_names(Session& session, const std::string& version_table) {
  TRY_ASSIGN(
      const Rows rows,
      session.query("SELECT coalesce((SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class AS c"
                    " JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.oid"
                    " OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1) AND c.relkind OPERATOR(pg_catalog.=) 'r'), ''), " +
                        std::string(kPin),
                    {version_table}));
  return rows.text(0, 0);
}

Result<void> use_server_names(Session& session) {
  TRY(session.query("SELECT " + std::string(kPin)));
  return {};
}

Result<void> check_catalogue(Session& session, const std::string& ledger_schema) {
  TRY_ASSIGN(const Rows rows, session.query("SELECT " + table_facts("pg_catalog.to_regclass($1)") + ", " +
                                                untrusted_schema_owner("pg_catalog.to_regnamespace($2)") + ", current_user",
                                            {qualified_name(ledger_schema, "backup"), quote_identifier(ledger_schema)}));
  const std::string migrator = rows.text(0, 2);
  const TableFacts catalogue = read_table_facts(rows.cell(0, 0));
  if (!catalogue.problem.empty()) {
    return fail(untrusted_table("the catalogue of backups " + ledger_schema + ".backup", catalogue, migrator));
  }
  if (const std::string owner = rows.text(0, 1); !owner.empty()) {
    return fail(untrusted_schema(ledger_schema, owner, migrator));
  }
  return {};
}

}  // namespace athanor
