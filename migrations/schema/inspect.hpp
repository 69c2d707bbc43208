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

// Which facts. Names are patterns with * and ?, matched against "schema" or "schema.name"; empty lists mean everything.
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
  // The version table and the schema of the ledger are Athanor's own and never part of the schema.
  std::string version_table = "alembic_version";
  std::string version_table_schema{};
};

// The facts of the database behind `session`, read in one repeatable-read transaction. System schemas, temporary objects and
// members of extensions are left out. The session's search_path does not matter.
[[nodiscard]] Result<Catalog> inspect(Session& session, const InspectOptions& options = {});

}  // namespace athanor::schema
