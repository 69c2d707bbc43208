// golang-migrate: <number>_<name>.up.sql and .down.sql; schema_migrations has the current version, and whether the migration to
// it failed.
#include <algorithm>
#include <array>
#include <map>

#include "migrations/import/foreign_text.hpp"

namespace athanor {
namespace {

struct FileName {
  std::string_view digits;
  std::string_view name;
  bool up = true;
};

// "1_add_users.up.sql"; empty for other files.
std::optional<FileName> parse_name(std::string_view file) {
  FileName parts;
  parts.digits = leading_digits(file);
  const bool up = file.ends_with(".up.sql");
  const std::string_view ending = up ? ".up.sql" : ".down.sql";
  if (parts.digits.empty() || !file.ends_with(ending) || !file.substr(parts.digits.size()).starts_with('_')) {
    return std::nullopt;
  }
  parts.up = up;
  parts.name = file.substr(parts.digits.size() + 1, file.size() - ending.size() - parts.digits.size() - 1);
  return parts;
}

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& /*options*/) {
  ForeignFolder folder;
  std::map<std::string, ForeignRevision> revisions;
  for (const ForeignFile& file : files) {
    const auto name = parse_name(file.name);
    if (!name) {
      if (leading_digits(file.name).empty() && !file.name.ends_with(".sql")) {
        continue;
      }
      folder.left_out.push_back({file.name, 0, "not called NUMBER_NAME.up.sql or .down.sql: golang-migrate ignores it"});
      continue;
    }
    const auto text = foreign_text(file, folder);
    if (!text) {
      continue;
    }
    const std::string version = plain_number(name->digits);
    ForeignRevision& revision = revisions[version];
    auto& sections = name->up ? revision.up : revision.down;
    if (!sections.empty()) {
      folder.refused.push_back({file.name, 0, "has the same version as " + sections.front().file});
      continue;
    }
    if (name->up || revision.file.empty()) {
      revision.version = version;
      revision.id = name->digits;
      revision.message = words_of_name(name->name);
      revision.file = file.name;
    }
    // The file is sent as one message, which the server runs as one transaction.
    sections.push_back({.sql = *text, .line = 1, .file = file.name});
  }
  for (auto& [version, revision] : revisions) {
    if (revision.up.empty()) {
      folder.refused.push_back({revision.file, 0, "has no .up.sql file"});
    }
    if (revision.down.empty()) {
      revision.irreversible = revision.file + " has no .down.sql beside it";
    }
    folder.revisions.push_back(std::move(revision));
  }
  order_revisions(folder,
                  [](const ForeignRevision& a, const ForeignRevision& b) { return smaller_number(a.version, b.version); });
  return folder;
}

constexpr std::array<std::string_view, 2> kColumns{"version", "dirty"};

// The row has the last version; all versions before it count as applied, as in golang-migrate.
Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  if (rows.empty()) {
    return std::size_t{0};
  }
  const std::string version = cell_text(rows.front(), 0);
  if (rows.size() > 1) {
    return fail(Error(ErrorCode::UntrustedTable,
                      "golang-migrate's table has " + std::to_string(rows.size()) + " rows, and golang-migrate keeps one")
                    .advise("give the right table with --history-table"));
  }
  if (cell_text(rows.front(), 1) == "true") {
    return fail(
        half_done(kGolangMigrateFormat, version,
                  "find out which of its statements took effect, finish or undo them by hand, and record it: `migrate force " +
                      version + "`, or force the version before it"));
  }
  if (version.starts_with('-')) {
    return std::size_t{0};
  }
  const auto found = std::ranges::find(folder.revisions, version, &ForeignRevision::version);
  if (found == folder.revisions.end()) {
    return applied_beginning(kGolangMigrateFormat, folder, {version});
  }
  return static_cast<std::size_t>(found - folder.revisions.begin()) + 1;
}

}  // namespace

const ForeignFormat kGolangMigrateFormat{.name = "golang-migrate",
                                         .title = "golang-migrate",
                                         .catch_up = "migrate up",
                                         .read_folder = read_folder,
                                         .table = "schema_migrations",
                                         .columns = kColumns,
                                         .order = "version",
                                         .read_history = read_history};

}  // namespace athanor
