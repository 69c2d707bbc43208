// What is known about one backup, and the manifest that says it.
//
// A backup is two files: the dump, and a manifest (JSON) with the same name and the ending .json. The manifest is the truth: it
// is there when the database is gone. The catalogue in the ledger repeats it for people and metrics. docs/spec/backup.md has
// the format.
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

// Which database a backup is of. Names are used again and moved around; the oid within its cluster is not. A physical copy of a
// cluster (pg_basebackup) has both in common with its original: retention.hpp tells them apart.
struct DatabaseIdentity {
  std::string system_identifier;  // of the cluster; empty when the server does not tell
  std::string oid;
  std::string name;
  [[nodiscard]] bool same_as(const DatabaseIdentity& other) const {
    return system_identifier == other.system_identifier && oid == other.oid;
  }
};

// What CREATE DATABASE must be told, and what pg_dump leaves out of a database's own dump.
struct DatabaseProperties {
  std::string owner;
  std::string encoding;  // "UTF8"
  std::string collate;
  std::string ctype;
  std::string provider;  // "c" libc, "i" ICU, "b" builtin
  std::string locale;    // of ICU or the builtin provider
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
  std::string id;        // the run that made it
  std::string file;      // name of the dump in its store
  std::string location;  // where that is: "/var/backups/shop-….dump"
  DatabaseIdentity database;
  std::string place;          // "db.example.org:5432/shop"
  std::string version_table;  // as SQL has it: alembic_version, app."Version"
  std::vector<std::string> revisions;
  std::string sha256;
  std::uint64_t size = 0;
  std::string lsn;  // not after the dump's snapshot
  // Newest row of the ledger's history in the dump, which tells exactly whether the database moved since; nothing where there
  // was no ledger, and in manifests that do not say it.
  std::optional<std::int64_t> ledger_id;
  // The rows that the migration it was taken for leads to; empty: taken for its own sake.
  std::optional<std::vector<std::string>> target;
  std::string resource;      // "shop/orders", where a resource asked for it
  std::string resource_uid;  // on a cluster
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

// The manifest's text.
[[nodiscard]] std::string write_manifest(const BackupRecord& record);
// BackupCorrupt when it is none of ours. `name` is for messages.
[[nodiscard]] Result<BackupRecord> read_manifest(std::string_view text, std::string_view name);

// "<database>-<UTC time>-<revision>-<run id>.dump", or with the name of the resource that asked for it; of characters that are
// safe in any file system.
[[nodiscard]] std::string backup_file_name(const BackupRecord& record);
// "x.dump" → "x.json".
[[nodiscard]] std::string manifest_name(std::string_view dump_name);

// "1.4 GiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

}  // namespace athanor
