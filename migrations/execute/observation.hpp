// The migration state of a database: current heads, a half-applied revision, rows of the ledger.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrations/graph/walk.hpp"

namespace athanor {

// The ledger's latest row of an applied revision.
struct AppliedRevision {
  std::string revision;
  std::string checksum;  // empty when the revision was stamped or another tool applied it
  std::string applied_at;
  std::string actor;
  std::string tool;  // "athanor 0.1.0"
};

// A multi-step revision that stopped half-way.
struct UnfinishedStep {
  std::string revision;
  Direction direction = Direction::Upgrade;
  int step = 0;       // index of the first step that is not complete
  int statement = 0;  // autocommit: index of the next statement, or of the one whose outcome is unknown
  bool intent = false;
  std::string before;                 // autocommit: the state of the catalog before the statement was sent (CatalogRecord)
  std::optional<std::string> cursor;  // batch: last key done, as text
  std::int64_t rows = 0;              // batch: rows done so far
  // The step rows, in execution order; the last one is where the revision stopped.
  struct Part {
    int step = 0;
    int statement = 0;
    std::string state;     // as in step_table.hpp; "begun": a batch step before its first batch
    std::string checksum;  // of the text that ran (part_checksums.hpp)
  };
  std::vector<Part> parts;
};

// The last change that an upgrade or downgrade committed.
struct LastChange {
  Direction direction = Direction::Upgrade;
  std::chrono::milliseconds age{0};  // since it ended, by the server's clock
};

// A row of the ledger's history.
struct HistoryEntry {
  std::int64_t id = 0;
  std::string run_id, revision, direction, outcome, checksum, plan_hash, started_at, actor, sqlstate, message;
  std::int64_t duration_ms = 0;
};

struct Observation {
  std::vector<std::string> current_heads;  // rows of the version table, sorted
  std::size_t invalid_rows = 0;            // rows that can be no revision; not zero only with MigratorSettings::purges
  bool has_version_table = false;
  bool has_ledger = false;
  bool read_only = false;  // a standby: can be observed, not migrated
  int server_version = 0;
  std::optional<UnfinishedStep> unfinished;
  // Identifies this version table of this database on this running server: the same for every host name, port, user and
  // search_path, and different after a restart or for a copy of the server. Compare it; do not parse it. Empty unless
  // MigratorSettings::identify is set.
  std::string identity;
};

}  // namespace athanor
