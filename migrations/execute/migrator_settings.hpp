// The settings of a Migrator: where one database keeps version table and ledger, and how a run behaves.
//
// Threads: plain values.
#pragma once

#include <string>

#include "migrations/session/session_settings.hpp"

namespace athanor {

struct MigratorSettings {
  std::string version_table = "alembic_version";
  std::string version_table_schema;  // empty: by search_path
  bool version_table_pk = true;
  bool transaction_per_migration = true;  // false: consecutive transactional revisions share one transaction
  std::string ledger_schema = "athanor";
  bool reads_ledger = true;       // false: for a user without the right to; observing then sees none, and nothing may be run
  bool ledger_keeps_text = true;  // of each revision that is applied, so that it is known without its file
  ExecutionSettings execution;
  std::string actor;      // who: "alice@laptop", "databasemigration/shop/orders"
  std::string run_id;     // new_run_id() when empty
  bool identify = false;  // observe() asks which database it is: Observation::identity
};

}  // namespace athanor
