// Prisma: one folder per migration with a migration.sql; _prisma_migrations has a row for each run, with the script's SHA-256.
#include <algorithm>
#include <array>
#include <map>

#include "migrations/base/sha256.hpp"
#include "migrations/import/foreign_text.hpp"

namespace athanor {
namespace {

constexpr std::string_view kScript = "/migration.sql";

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& /*options*/) {
  ForeignFolder folder;
  for (const ForeignFile& file : files) {
    if (base_name(file.name) == "migration_lock.toml" && file.bytes.find("\"postgresql\"") == std::string::npos &&
        file.bytes.find("\"cockroachdb\"") == std::string::npos) {
      folder.refused.push_back({file.name, 0, "the migrations are not for PostgreSQL"});
    }
    if (!file.name.ends_with(kScript)) {
      continue;
    }
    const std::string path = file.name.substr(0, file.name.size() - kScript.size());
    const std::string name(base_name(path));
    const std::string_view digits = leading_digits(name);
    ForeignRevision revision;
    revision.version = name;
    revision.id = digits.empty() ? name : std::string(digits);
    revision.message = words_of_name(std::string_view(name).substr(digits.size()));
    revision.file = file.name;
    revision.checksum = sha256_hex(file.bytes);
    revision.irreversible = "Prisma has no way back";
    if (const auto text = foreign_text(file, folder)) {
      // The script is sent as one message, which the server runs as one transaction.
      revision.up.push_back({.sql = *text});
      folder.revisions.push_back(std::move(revision));
    }
  }
  order_revisions(folder, [](const ForeignRevision& a, const ForeignRevision& b) { return a.version < b.version; });
  return folder;
}

constexpr std::array<std::string_view, 4> kColumns{"migration_name", "checksum", "finished_at", "rolled_back_at"};
enum Column : std::size_t { kName, kChecksum, kFinished, kRolledBack };

Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  std::set<std::string> applied;
  for (const auto& row : rows) {
    const std::string name = cell_text(row, kName);
    if (!cell_text(row, kRolledBack).empty()) {
      continue;  // a failed run that was marked as resolved
    }
    if (cell_text(row, kFinished).empty()) {
      return fail(half_done(kPrismaFormat, name,
                            "find out which of its statements took effect, finish or undo them by hand, and record it: `prisma "
                            "migrate resolve --applied " +
                                name + "`, or --rolled-back"));
    }
    applied.insert(name);
    const auto revision = std::ranges::find(folder.revisions, name, &ForeignRevision::version);
    if (revision != folder.revisions.end() && revision->checksum != cell_text(row, kChecksum)) {
      return fail(changed_since(kPrismaFormat, *revision, "check out the file as of the time it was applied"));
    }
  }
  return applied_beginning(kPrismaFormat, folder, applied);
}

}  // namespace

const ForeignFormat kPrismaFormat{.name = "prisma",
                                  .title = "Prisma",
                                  .catch_up = "prisma migrate deploy",
                                  .recursive = true,
                                  .read_folder = read_folder,
                                  .table = "_prisma_migrations",
                                  .columns = kColumns,
                                  .order = "started_at",
                                  .read_history = read_history};

}  // namespace athanor
