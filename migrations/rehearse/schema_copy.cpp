#include "migrations/rehearse/schema_copy.hpp"

#include <utility>

#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/load_statements.hpp"
#include "migrations/schema/sql_names.hpp"

namespace athanor {
namespace {

constexpr int kTakesStatistics = 180'000;  // pg_restore_relation_stats

constexpr std::string_view kSizes =
    "SELECT n.nspname OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) c.relname, c.reltuples::pg_catalog.int8, "
    "c.relpages::pg_catalog.int8 OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.int8 FROM "
    "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.relkind "
    "IN ('r', 'i', 'm') AND n.nspname OPERATOR(pg_catalog.!~) '^pg_' AND n.nspname OPERATOR(pg_catalog.<>) "
    "'information_schema'";

// As one value, which the copy takes apart.
constexpr std::string_view kReadRelations =
    "SELECT coalesce(jsonb_agg(jsonb_build_object('s', n.nspname, 'r', c.relname, 'p', c.relpages, 't', c.reltuples)), '[]') "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'i', 'm') AND n.nspname !~ '^pg_' "
    "AND n.nspname <> 'information_schema' AND c.reltuples >= 0";
constexpr std::string_view kReadColumns =
    "SELECT coalesce(jsonb_agg(jsonb_build_object('s', schemaname, 'r', tablename, 'c', attname, 'i', inherited, 'n', "
    "null_frac, 'w', avg_width, 'd', n_distinct, 'o', correlation)), '[]') FROM pg_stats WHERE schemaname !~ '^pg_' AND "
    "schemaname <> 'information_schema'";
constexpr std::string_view kWriteRelations =
    "SELECT pg_restore_relation_stats('schemaname', x.s, 'relname', x.r, 'relpages', x.p, 'reltuples', x.t) FROM "
    "jsonb_to_recordset($1::jsonb) AS x(s text, r text, p int4, t float4) WHERE EXISTS (SELECT FROM pg_class c JOIN "
    "pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = x.s AND c.relname = x.r AND c.relkind IN ('r', 'i', 'm'))";
constexpr std::string_view kWriteColumns =
    "SELECT pg_restore_attribute_stats('schemaname', x.s, 'relname', x.r, 'attname', x.c, 'inherited', x.i, 'null_frac', x.n, "
    "'avg_width', x.w, 'n_distinct', x.d, 'correlation', x.o) FROM jsonb_to_recordset($1::jsonb) AS x(s text, r text, c text, "
    "i "
    "bool, n float4, w int4, d float4, o float4) WHERE EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = "
    "c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = x.s AND c.relname = x.r AND a.attname = x.c "
    "AND "
    "a.attnum > 0 AND NOT a.attisdropped)";

Result<void> move(Session& live, Session& copy, std::string_view read, std::string_view write) {
  TRY_ASSIGN(const Rows found, live.query(read));
  TRY(copy.query(write, {found.text(0, 0)}));
  return {};
}

// The names in the queries are PostgreSQL's own, whatever the session's search_path is.
Result<void> use_catalog_names(Session& session) {
  TRY(session.query("SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)"));
  return {};
}

Result<void> copy_statistics(Session& live, const schema::ScratchDatabase& database) {
  TRY_ASSIGN(const auto copy, database.open());
  TRY(use_catalog_names(live));
  TRY(use_catalog_names(*copy));
  TRY(move(live, *copy, kReadRelations, kWriteRelations));
  return move(live, *copy, kReadColumns, kWriteColumns);
}

struct Creation {
  schema::ChangePlan plan;  // that the statements point into
  std::vector<schema::SchemaStatement> statements;
  schema::NamedRoles roles;
};

Result<Creation> creation_of(const schema::Catalog& catalog) {
  Creation creation;
  TRY_ASSIGN(creation.plan, schema::plan_creation(catalog));
  for (const schema::PlannedStep& step : creation.plan.steps) {
    for (const schema::PlannedStatement& statement : step.statements) {
      schema::collect_roles(statement.sql, creation.roles);
      creation.statements.push_back({statement.sql, describe(statement.subject)});
    }
  }
  return creation;
}

Result<std::unique_ptr<schema::ScratchDatabase>> build(schema::ScratchServer& server, const schema::Catalog& catalog) {
  TRY_ASSIGN(const Creation creation, creation_of(catalog));
  TRY(server.provide_roles(creation.roles.named));
  TRY_ASSIGN(auto database, server.create());
  TRY_ASSIGN(const auto session, database->open());
  TRY(schema::load_statements(*session, creation.statements));
  return database;
}

}  // namespace

schema::InspectOptions whole_schema(const std::string& version_table, const std::string& ledger_schema) {
  schema::InspectOptions options;
  options.version_table = version_table;
  options.ledger_schema = ledger_schema;
  return options;
}

Result<LiveSchema> read_live_schema(Session& live, const schema::InspectOptions& options) {
  LiveSchema schema;
  TRY_ASSIGN(schema.catalog, schema::inspect(live, options));
  TRY_ASSIGN(const Rows rows, live.query(kSizes));
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    schema.sizes[rows.text(row, 0)] = {std::stoll(rows.text(row, 1)), std::stoll(rows.text(row, 2))};
  }
  return schema;
}

Result<void> provide_schema_roles(schema::ScratchServer& server, const schema::Catalog& catalog) {
  TRY_ASSIGN(const Creation creation, creation_of(catalog));
  return server.provide_roles(creation.roles.named);
}

Result<void> prepare_roles(schema::ScratchServer& server, const Plan& plan) {
  schema::NamedRoles roles;
  for (const PlannedRevision& revision : plan.revisions) {
    for (const ScriptStep& step : revision.steps()) {
      for (const SqlStatement& statement : step.statements) {
        schema::collect_roles(statement.sql, roles);
      }
    }
  }
  for (const std::string& created : roles.created) {
    roles.named.erase(created);
  }
  TRY(server.forget_roles(roles.created));
  return server.provide_roles(roles.named);
}

Result<CopiedSchema> copy_schema(schema::ScratchServer& server, const schema::Catalog& live, Session* live_session,
                                 const Plan& plan, const schema::InspectOptions& options) {
  TRY(prepare_roles(server, plan));
  CopiedSchema copy;
  TRY_ASSIGN(copy.database, build(server, live));
  copy.inspect = [options](const schema::ScratchDatabase& database) -> Result<schema::Catalog> {
    TRY_ASSIGN(const auto session, database.open());
    return schema::inspect(*session, options);
  };
  TRY_ASSIGN(const schema::Catalog rebuilt, copy.inspect(*copy.database));
  copy.difference = schema::describe_difference(rebuilt, live);
  TRY_ASSIGN(const int version, server.server_version());
  if (live_session != nullptr && version >= kTakesStatistics) {
    // They make the planner's choices likelier, and a rehearsal is worth as much without them.
    copy.has_statistics = copy_statistics(*live_session, *copy.database).has_value();
  }
  return copy;
}

}  // namespace athanor
