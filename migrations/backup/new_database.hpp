// The statements that make a database like the one a backup is of; for restore.cpp.
#pragma once

#include <string>
#include <vector>

#include "migrations/backup/backup_record.hpp"

namespace athanor {

// From template0, with encoding, locale and tablespace; the owner where `with_owner`.
[[nodiscard]] std::string create_database_sql(const std::string& name, const DatabaseProperties& properties, bool with_owner);

// What is said about a database outside of it: settings, grants, connection limit, comment. One statement each.
[[nodiscard]] std::vector<std::string> describe_database_sql(const std::string& name, const DatabaseProperties& properties);

// Settings of the server's own (read only, a role, a time limit) would stand in the way of pg_restore and come after it; those
// of extensions and applications (`app.tenant`) may be asked for by what it restores and come before.
struct SplitProperties {
  DatabaseProperties own;     // only settings
  DatabaseProperties server;  // and all that is not a setting
};
[[nodiscard]] SplitProperties split_settings(const DatabaseProperties& properties);

// "shop" and "restoring_1a2b" → "shop_restoring_1a2b", the first part cut so that PostgreSQL keeps all of it.
[[nodiscard]] std::string derived_name(const std::string& name, const std::string& ending);

}  // namespace athanor
