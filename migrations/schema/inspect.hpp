// Reads the catalog of a database in one snapshot, with a constant number of queries, whatever its size.
//
// Threads: one thread. Ownership: borrows the session.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

// Selects facts. Names are patterns with * and ?; an empty list means everything. Schema patterns match the schema's name and
// apply to everything in it. Table patterns match "schema.name", or the bare name if they contain no dot, and apply to tables,
// views and materialized views with all their parts. Catalog::outside() lists excluded objects that need an included fact.
struct InspectOptions {
  std::vector<std::string> schemas{};
  std::vector<std::string> exclude_schemas{};
  std::vector<std::string> tables{};
  std::vector<std::string> exclude_tables{};
  bool owners = false;
  bool privileges = false;  // grants
  bool default_privileges = false;
  bool publications = false;
  bool subscriptions = false;  // needs superuser or pg_read_all_settings; otherwise an error names the option
  // Athanor's version table and ledger schema are never part of the schema. Without `version_table_schema`, tables with the
  // name of the version table are excluded in every schema.
  std::string version_table = "alembic_version";
  std::string version_table_schema{};
  std::string ledger_schema = "athanor";
};

// Reads the facts of the session's database in one read-only repeatable-read transaction; the session must not be in a
// transaction. Excludes system schemas, temporary objects, members of extensions, and what PostgreSQL clones to partitions. The
// schema public is a fact like any other, absent only if it was dropped. The session's settings do not affect the result and
// are not changed. Retries if objects are dropped concurrently. Errors are the server's, for example InsufficientPrivilege.
[[nodiscard]] Result<Catalog> inspect(Session& session, const InspectOptions& options = {});

}  // namespace athanor::schema
