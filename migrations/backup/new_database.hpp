// Builds the SQL that creates a database with the properties of a backed up one. Only for restore.cpp.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/backup/backup_record.hpp"

namespace athanor {

// Uses template0 with encoding, locale and tablespace; adds the owner if `with_owner`.
[[nodiscard]] std::string create_database_sql(const std::string& name, const DatabaseProperties& properties, bool with_owner);

// One statement each for what is stored outside the database itself: settings, grants, connection limit, comment.
[[nodiscard]] std::vector<std::string> describe_database_sql(const std::string& name, const DatabaseProperties& properties);

// Settings of the server (read only, a role, a timeout) could disturb pg_restore and are applied after it. Settings of
// extensions and applications (`app.tenant`) may be needed by restored functions and are applied before it.
struct SplitProperties {
  DatabaseProperties own;     // only settings with a dot
  DatabaseProperties server;  // the other settings, and everything that is not a setting
};
[[nodiscard]] SplitProperties split_settings(const DatabaseProperties& properties);

// "shop" and "restoring_1a2b" → "shop_restoring_1a2b". Truncates the first part so that the name fits into 63 bytes.
[[nodiscard]] std::string derived_name(const std::string& name, const std::string& ending);

}  // namespace athanor
