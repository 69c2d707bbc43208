#include "migrations/execute/user_tables.hpp"

namespace athanor {

Result<bool> has_user_tables(Session& session, const MigratorSettings& settings, const VersionTable& versions) {
  std::string sql =
      "SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=)"
      " c.relnamespace WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'v', 'm', 'f']::pg_catalog.\"char\"[]) AND "
      "c.relpersistence OPERATOR(pg_catalog.<>) 't'"
      " AND n.nspname OPERATOR(pg_catalog.!~) '^pg_' AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'"
      " AND n.nspname OPERATOR(pg_catalog.<>) $1::pg_catalog.name"
      " AND c.oid OPERATOR(pg_catalog.<>) coalesce(pg_catalog.to_regclass($2)::pg_catalog.oid, 0::pg_catalog.oid)"
      " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid OPERATOR(pg_catalog.=) 1259::pg_catalog.oid"
      " AND d.objid OPERATOR(pg_catalog.=) c.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')";
  Parameters parameters{settings.ledger_schema, versions.qualified()};
  if (!settings.version_table_schema.empty()) {
    sql += " AND n.nspname OPERATOR(pg_catalog.=) $3::pg_catalog.name";
    parameters.emplace_back(settings.version_table_schema);
  }
  TRY_ASSIGN(const Rows rows, session.query(sql + ")", parameters));
  return rows.text(0, 0) == "t";
}

}  // namespace athanor
