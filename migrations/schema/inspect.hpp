// Reads the catalog of a database: a constant number of queries, whatever its size, in one snapshot.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

// Which facts. Names are patterns with * and ?; empty lists mean everything. Those of schemas are matched against the schema's
// name and concern everything in it; those of tables against "schema.name", or the bare name when the pattern has no dot, and
// concern tables, views and materialized views with all that belongs to them. An object that a filter hides and that needs one
// of the facts is told by Catalog::outside().
struct InspectOptions {
  std::vector<std::string> schemas{};
  std::vector<std::string> exclude_schemas{};
  std::vector<std::string> tables{};
  std::vector<std::string> exclude_tables{};
  bool owners = false;
  bool privileges = false;  // grants
  bool default_privileges = false;
  bool publications = false;
  bool subscriptions = false;  // needs superuser or pg_read_all_settings; refused by name when it may not be read
  // The version table and the schema of the ledger are Athanor's own and never part of the schema. Without
  // `version_table_schema` a table of that name is left out of every schema.
  std::string version_table = "alembic_version";
  std::string version_table_schema{};
  std::string ledger_schema = "athanor";
};

// The facts of the database behind `session`, read in one read-only repeatable-read transaction; the session must be in none.
// System schemas, temporary objects, members of extensions, and what PostgreSQL clones to partitions are left out. The schema
// public is a fact like any other, and is absent only where it was dropped. The settings of the session do not matter and are
// not changed. When objects are dropped meanwhile, it looks again. Errors are the server's, InsufficientPrivilege among them.
[[nodiscard]] Result<Catalog> inspect(Session& session, const InspectOptions& options = {});

}  // namespace athanor::schema
