// The ledger's table `catalog` records the catalog of the database at the end of each run, or when a person accepted it. Each
// record is a row. The database is compared with the newest, which is the only one that keeps the catalog itself.
//
// The table belongs to the database, not to a version table, because runs of several version tables change the same schema. It
// is created with the first record.
//
// Threads: one thread. Ownership: plain values; the session is borrowed for the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct SchemaRecord {
  std::string digest;      // SHA-256 of the catalog's facts
  std::string revision;    // the last revision applied before the record; empty: none
  std::string applied_at;  // when it was applied, "2026-11-21T02:10:00+00:00"
  std::string reason;      // "run" or "accepted"
  std::string recorded_at;
  std::string actor;
  std::string tool;
  int facts_version = 0;
  int server_version = 0;
  std::vector<std::string> kinds;  // the recorded ones among the optional kinds: "owners", "privileges", …
  std::string newer_revision;      // the last revision applied since then without a record; empty: none
  std::string newer_at;
  bool half_applied = false;  // whether a revision is half-applied now
};

class CatalogTable {
 public:
  explicit CatalogTable(const std::string& ledger_schema);

  // The newest record; empty if there is none. Error: UntrustedTable if the table is not ours.
  [[nodiscard]] Result<std::optional<SchemaRecord>> newest(Session& session) const;
  // The catalog of the newest record; empty if it cannot be decoded or does not match its digest.
  [[nodiscard]] Result<std::optional<schema::Catalog>> catalog(Session& session) const;

  struct Entry {
    std::string run_id;
    std::string version_table;  // its name, for messages
    std::string reason;
    std::string actor;
    std::vector<std::string> kinds;
  };
  // Inserts a record and removes the catalogs of older ones, in one transaction. Creates the table if necessary. The caller
  // must hold the migration lock. Error: FileTooLarge for a catalog of more than 64 MiB.
  [[nodiscard]] Result<void> record(Session& session, const schema::Catalog& catalog, const Entry& entry) const;
  // "schema.table" of all version tables in the ledger.
  [[nodiscard]] Result<std::vector<std::string>> version_tables(Session& session) const;

 private:
  struct Present {
    bool table = false;
    bool history = false;
    bool step = false;
  };
  // Checks the tables. Error: UntrustedTable if the catalog's table is not ours. An ordinary table of another role may be read,
  // but not by a superuser.
  enum class Use : std::uint8_t { Read, Write };
  [[nodiscard]] Result<Present> check_tables(Session& session, Use use) const;
  [[nodiscard]] std::string create_statement() const;

  std::string table_, history_, step_;  // quoted, with their schema
};

// Converts the enabled switches of inspect() to names, and back.
[[nodiscard]] std::vector<std::string> kinds_of(const schema::InspectOptions& options);
void apply_kinds(const std::vector<std::string>& kinds, schema::InspectOptions& options);

}  // namespace athanor
