// Settings of a Migrator: where a database keeps its version table and ledger, and how a run behaves.
//
// Threads: plain values.
#pragma once

#include <string>

#include "migrations/session/session_settings.hpp"

namespace athanor {

struct MigratorSettings {
  std::string version_table = "alembic_version";
  std::string version_table_schema;  // empty: resolved by search_path
  bool version_table_pk = true;
  bool transaction_per_migration = true;  // false: consecutive transactional revisions share one transaction
  std::string ledger_schema = "athanor";
  bool reads_ledger = true;       // false: the role has no access to the ledger; observing finds none, no run is allowed
  bool ledger_keeps_text = true;  // store the text of each applied revision, so that it is known without its file
  ExecutionSettings execution;
  std::string actor;      // who runs it: "alice@laptop", "databasemigration/shop/orders"
  std::string run_id;     // empty: new_run_id()
  bool identify = false;  // observe() fills Observation::identity
  bool purges = false;    // the run deletes every row of the version table, so observing accepts rows that are no revision
};

}  // namespace athanor
