// The description of one backup, and the manifest that stores it.
//
// A backup consists of two files: the dump, and a manifest (JSON) with the same name and the extension .json. The manifest is
// authoritative: it is available when the database is gone. The catalogue in the ledger repeats it for people and metrics.
// docs/spec/backup.md specifies the format.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor {

// Identifies the database of a backup. Names are reused and changed; the OID within a cluster is not. A physical copy of a
// cluster (pg_basebackup) has the same system identifier and OIDs as the original: retention.hpp distinguishes them.
struct DatabaseIdentity {
  std::string system_identifier;  // of the cluster; empty when the server does not reveal it
  std::string oid;
  std::string name;
  [[nodiscard]] bool same_as(const DatabaseIdentity& other) const {
    return system_identifier == other.system_identifier && oid == other.oid;
  }
};

// What CREATE DATABASE needs, and properties that pg_dump does not include in a database's dump.
struct DatabaseProperties {
  std::string owner;
  std::string encoding;  // "UTF8"
  std::string collate;
  std::string ctype;
  std::string provider;  // "c" libc, "i" ICU, "b" builtin
  std::string locale;    // of the ICU or builtin provider
  std::string comment;
  std::string icu_rules;
  std::string tablespace;     // empty: the server's default one
  int connection_limit = -1;  // of CONNECTION LIMIT; -1: none
  struct Setting {            // ALTER DATABASE … SET, ALTER ROLE … IN DATABASE … SET
    std::string role;
    std::string setting;  // "search_path=app, public"
  };
  std::vector<Setting> settings;
  bool has_grants = false;  // false: PostgreSQL's defaults
  struct Grant {
    std::string grantee;    // empty: PUBLIC
    std::string privilege;  // CREATE, CONNECT, TEMPORARY
    bool grantable = false;
  };
  std::vector<Grant> grants;
};

struct BackupRecord {
  std::string id;        // id of the run that took it
  std::string file;      // name of the dump in its store
  std::string location;  // where the dump is: "/var/backups/shop-….dump"
  DatabaseIdentity database;
  std::string place;          // "db.example.org:5432/shop"
  std::string version_table;  // as written in SQL: alembic_version, app."Version"
  std::vector<std::string> revisions;
  std::string sha256;
  std::uint64_t size = 0;
  std::string lsn;  // a position at or before the dump's snapshot
  // The newest row of the ledger's history in the dump; shows exactly whether the database changed since. Empty when there was
  // no ledger, and in manifests that do not contain it.
  std::optional<std::int64_t> ledger_id;
  // The heads that the migration leads to for which it was taken; empty: not taken for a migration.
  std::optional<std::vector<std::string>> target;
  std::string resource;      // "shop/orders", if a resource requested it
  std::string resource_uid;  // the resource's uid in its cluster
  int server_version = 0;
  std::string client_version;
  int compression = 0;
  WallTime started{};
  milliseconds duration{0};  // of the dump
  std::optional<WallTime> verified;
  std::string actor;
  std::string tool;
  DatabaseProperties properties;
  // Not in the manifest: an existing backup was accepted instead of taking a new one.
  bool accepted = false;

  [[nodiscard]] std::chrono::seconds age(WallTime now) const {
    return std::chrono::duration_cast<std::chrono::seconds>(now - started);
  }
};

// Returns the text of the manifest.
[[nodiscard]] std::string write_manifest(const BackupRecord& record);
// Error: BackupCorrupt when the text is not a manifest of this format. `name` is used in messages.
[[nodiscard]] Result<BackupRecord> read_manifest(std::string_view text, std::string_view name);

// "<database>-<UTC time>-<revision>-<run id>.dump", with the resource's name instead of the database's if a resource requested
// it. Contains only characters that are safe in every file system.
[[nodiscard]] std::string backup_file_name(const BackupRecord& record);
// "x.dump" → "x.json".
[[nodiscard]] std::string manifest_name(std::string_view dump_name);

// "1.4 GiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace athanor
