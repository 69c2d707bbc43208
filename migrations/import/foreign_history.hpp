// A history of another tool: what its folder holds, and what its history table says.
//
// Every tool is one file that fills in one ForeignFormat: a pure reader of the folder's files, and a pure reader of the rows of
// its history table. Nothing here touches a disk or a database. Adoption (adoption.hpp) turns what they say into revision files
// and the revision a database is at.
//
// A reader never guesses: a directive it does not know, a script in another language, a version that occurs twice come out as
// refusals with file and line, all of them at once.
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
  std::string name;   // below the folder, with '/'
  std::string bytes;  // as on disk: checksums are of these
};

// SQL that the tool runs in one go.
struct ForeignSection {
  std::string sql;          // without the tool's directives
  int line = 1;             // of its first line in the file
  std::string file{};       // when it is another one than the revision's
  bool transaction = true;  // false: each statement by itself
};

struct ForeignRevision {
  std::string version;  // as the history table has it
  std::string id;       // of the revision file; made of the version when it is empty
  std::string message;
  std::string file;  // ForeignFile::name
  std::vector<ForeignSection> up{};
  std::vector<ForeignSection> down{};
  std::string irreversible{};         // why there is no way down
  std::string checksum{};             // as the tool computes it; empty: it keeps none that can be compared
  std::vector<std::string> covers{};  // of a baseline: the versions it stands for
  std::string unreadable{};  // why its upgrade cannot be taken over; with --partial it becomes a revision that stops there
  int line = 0;              // where it begins in the file; 0: it is the whole file
};

struct ForeignProblem {
  std::string file;
  int line = 0;  // 0: the whole file
  std::string reason;
};

struct ForeignFolder {
  std::vector<ForeignRevision> revisions{};  // in the order in which the tool applies them
  std::vector<ForeignProblem> refused{};     // nothing is taken over while there are any
  std::vector<ForeignProblem> left_out{};    // files that have no place in a history of SQL; told, and no obstacle
  std::vector<std::string> warnings{};
};

struct ForeignOptions {
  std::map<std::string, std::string> placeholders{};  // ${name} in scripts of tools that have them
};

using ForeignRows = std::vector<std::vector<std::optional<std::string>>>;

struct ForeignFormat {
  std::string_view name;      // on the command line: "golang-migrate"
  std::string_view title;     // in sentences: "golang-migrate", "Flyway"
  std::string_view catch_up;  // the tool's command that applies what is pending
  bool recursive = false;     // folders below the folder, too
  ForeignFolder (*read_folder)(const std::vector<ForeignFile>& files, const ForeignOptions& options) = nullptr;
  std::string_view table;                     // history table by default; may have a schema
  std::span<const std::string_view> columns;  // of it; all are read as text
  std::string_view order;                     // of the rows, an ORDER BY list
  // How many revisions of the folder, from the first on, are applied. NotUpToDate, ChecksumMismatch or UnknownDatabaseRevision,
  // with the way out, when the rows do not mean a beginning of the line.
  Result<std::size_t> (*read_history)(const ForeignFolder& folder, const ForeignRows& rows) = nullptr;
};

[[nodiscard]] std::span<const ForeignFormat> foreign_formats();
// nullptr when there is none of that name.
[[nodiscard]] const ForeignFormat* find_foreign_format(std::string_view name);

// One file a tool.
extern const ForeignFormat kGooseFormat;
extern const ForeignFormat kDbmateFormat;
extern const ForeignFormat kGolangMigrateFormat;
extern const ForeignFormat kFlywayFormat;
extern const ForeignFormat kLiquibaseFormat;
extern const ForeignFormat kRailsFormat;
extern const ForeignFormat kAtlasFormat;
extern const ForeignFormat kPrismaFormat;

}  // namespace athanor
