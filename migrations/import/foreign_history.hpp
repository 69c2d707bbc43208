// The history of another tool: the contents of its folder, and of its history table.
//
// Each tool is one file that defines one ForeignFormat: a pure reader for the folder's files, and a pure reader for the rows of
// its history table. Nothing here accesses a disk or a database. Adoption (adoption.hpp) converts the results to revision files
// and to the revision that a database is at.
//
// A reader never guesses: an unknown directive, a script in another language or a duplicate version is refused with file and
// line, and all refusals are reported together.
//
// Threads: pure functions, plain values.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

struct ForeignFile {
  std::string name;   // relative to the folder, with '/'
  std::string bytes;  // as on disk: checksums refer to these
};

// SQL that the tool runs in one go.
struct ForeignSection {
  std::string sql;          // without the tool's directives
  int line = 1;             // of its first line in the file
  std::string file{};       // if different from the revision's
  bool transaction = true;  // false: each statement separately
};

struct ForeignRevision {
  std::string version;  // as in the history table
  std::string id;       // id of the revision file; if empty, derived from the version
  std::string message;
  std::string file;  // ForeignFile::name
  std::vector<ForeignSection> up{};
  std::vector<ForeignSection> down{};
  std::string irreversible{};         // why there is no downgrade
  std::string checksum{};             // as the tool computes it; empty: the tool stores none that can be compared
  std::vector<std::string> covers{};  // of a baseline: the versions that it replaces
  std::string unreadable{};  // why its upgrade cannot be converted; with --partial it becomes a revision that always fails
  int line = 0;              // first line in the file; 0: the whole file
};

struct ForeignProblem {
  std::string file;
  int line = 0;  // 0: the whole file
  std::string reason;
};

struct ForeignFolder {
  std::vector<ForeignRevision> revisions{};  // in the order in which the tool applies them
  std::vector<ForeignProblem> refused{};     // any refusal prevents the adoption
  // Reported files that are not part of an SQL history; they do not prevent the adoption.
  std::vector<ForeignProblem> left_out{};
  std::vector<std::string> warnings{};
};

struct ForeignOptions {
  std::map<std::string, std::string> placeholders{};  // ${name} in scripts of tools that support it
};

using ForeignRows = std::vector<std::vector<std::optional<std::string>>>;

struct ForeignFormat {
  std::string_view name;      // on the command line: "golang-migrate"
  std::string_view title;     // in messages: "golang-migrate", "Flyway"
  std::string_view catch_up;  // the tool's command that applies pending migrations
  bool recursive = false;     // include subfolders
  ForeignFolder (*read_folder)(const std::vector<ForeignFile>& files, const ForeignOptions& options) = nullptr;
  std::string_view table;                     // default history table; may have a schema
  std::span<const std::string_view> columns;  // of that table; all are read as text
  std::string_view order;                     // ORDER BY list for the rows
  std::string_view beside = {};               // another table of the tool, if it has one
  // How many revisions of the folder, from the first on, are applied. NotUpToDate, ChecksumMismatch or UnknownDatabaseRevision,
  // with a hint, when the applied revisions are not the first ones of the folder.
  Result<std::size_t> (*read_history)(const ForeignFolder& folder, const ForeignRows& rows) = nullptr;
};

// All formats.
[[nodiscard]] std::span<const ForeignFormat> foreign_formats();
// Null when there is no format of that name.
[[nodiscard]] const ForeignFormat* find_foreign_format(std::string_view name);

// One source file per tool.
extern const ForeignFormat kGooseFormat;
extern const ForeignFormat kDbmateFormat;
extern const ForeignFormat kGolangMigrateFormat;
extern const ForeignFormat kFlywayFormat;
extern const ForeignFormat kLiquibaseFormat;
extern const ForeignFormat kRailsFormat;
extern const ForeignFormat kAtlasFormat;
extern const ForeignFormat kPrismaFormat;

}  // namespace athanor
