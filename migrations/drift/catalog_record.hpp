// The ledger's table `catalog`: the catalog of the database as a run left it, or as a person accepted it. One row each time;
// the newest is what the database is compared with, and the only one that keeps the catalog itself.
//
// The table belongs to the database, not to a version table: runs of several version tables change one schema. It is created
// with the first record.
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
  std::string revision;    // applied last when it was recorded; empty: none was
  std::string applied_at;  // when that was, "2026-11-21T02:10:00+00:00"
  std::string reason;      // "run" or "accepted"
  std::string recorded_at;
  std::string actor;
  std::string tool;
  int facts_version = 0;
  int server_version = 0;
  std::vector<std::string> kinds;  // of those that are recorded on demand: "owners", "privileges", …
  std::string newer_revision;      // applied after it without a record; empty: none
  std::string newer_at;
  bool half_applied = false;  // a revision is
};

class CatalogTable {
 public:
  explicit CatalogTable(const std::string& ledger_schema);

  // The newest row; empty without one. UntrustedTable when the table is not ours.
  [[nodiscard]] Result<std::optional<SchemaRecord>> newest(Session& session) const;
  // The catalog of the newest row; empty when it cannot be read.
  [[nodiscard]] Result<std::optional<schema::Catalog>> catalog(Session& session) const;

  struct Entry {
    std::string run_id;
    std::string version_table;  // by name, for people
    std::string reason;
    std::string actor;
    std::vector<std::string> kinds;
  };
  // Inserts a row, and takes the catalog out of the rows before it. Creates what is missing; the caller holds the lock.
  [[nodiscard]] Result<void> record(Session& session, const schema::Catalog& catalog, const Entry& entry) const;
  // "schema.table" of the version tables that the ledger knows.
  [[nodiscard]] Result<std::vector<std::string>> version_tables(Session& session) const;

 private:
  struct Present {
    bool table = false;
    bool history = false;
    bool step = false;
  };
  // UntrustedTable when the catalog's table is not ours; an ordinary one of another role may be read, unless by a superuser.
  enum class Use : std::uint8_t { Read, Write };
  [[nodiscard]] Result<Present> look(Session& session, Use use) const;
  [[nodiscard]] std::string create_statement() const;

  std::string table_, history_, step_;  // quoted, with their schema
};

// The switches of inspect() that are on, by name, and back.
[[nodiscard]] std::vector<std::string> kinds_of(const schema::InspectOptions& options);
void apply_kinds(const std::vector<std::string>& kinds, schema::InspectOptions& options);

}  // namespace athanor
