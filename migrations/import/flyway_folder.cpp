// Flyway: V<version>__<name>.sql, undo scripts U…, and repeatable scripts R__<name>.sql, which run after all versions;
// flyway_schema_history has a row for each run, with the script's CRC32.
#include <algorithm>
#include <array>
#include <map>

#include "migrations/import/foreign_text.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

std::vector<std::string> version_parts(std::string_view version) {
  std::vector<std::string> parts;
  while (!version.empty()) {
    const std::size_t end = std::min(version.find('.'), version.size());
    parts.push_back(plain_number(version.substr(0, end)));
    version.remove_prefix(std::min(end + 1, version.size()));
  }
  while (parts.size() > 1 && parts.back() == "0") {
    parts.pop_back();  // 1.0 equals 1
  }
  return parts;
}

bool smaller_version(std::string_view a, std::string_view b) {
  const auto left = version_parts(a);
  const auto right = version_parts(b);
  return std::ranges::lexicographical_compare(left, right,
                                              [](const std::string& x, const std::string& y) { return smaller_number(x, y); });
}

constexpr std::string_view kRepeatable = "R__";  // version of a repeatable script: "R__" and the description

bool comes_before(const ForeignRevision& a, const ForeignRevision& b) {
  const bool left = a.version.starts_with(kRepeatable);
  const bool right = b.version.starts_with(kRepeatable);
  if (left != right) {
    return right;
  }
  return left ? a.version < b.version : smaller_version(a.version, b.version);
}

// The CRC32 of all lines without their line ends, as the signed number that Flyway stores.
std::string flyway_checksum(std::string_view text) {
  std::uint32_t crc = 0xFFFFFFFFU;
  text = without_byte_order_mark(text);
  for (const char letter : text) {
    if (letter == '\n' || letter == '\r') {
      continue;
    }
    crc ^= static_cast<unsigned char>(letter);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
    }
  }
  return std::to_string(static_cast<std::int32_t>(crc ^ 0xFFFFFFFFU));
}

struct Script {
  char kind = 'V';  // V, U, R, B
  std::string version;
  std::string description;
};

std::optional<Script> parse_name(std::string_view name) {
  const std::size_t cut = name.find("__");
  if (cut == std::string_view::npos || cut == 0 || std::string_view("VURB").find(name.front()) == std::string_view::npos) {
    return std::nullopt;
  }
  Script script;
  script.kind = name.front();
  script.version = name.substr(1, cut - 1);
  std::ranges::replace(script.version, '_', '.');
  script.description = name.substr(cut + 2);
  std::ranges::replace(script.description, '_', ' ');
  const bool digits = !script.version.empty() && script.version.find_first_not_of("0123456789.") == std::string::npos;
  return (script.kind == 'R' ? script.version.empty() : digits) ? std::optional(script) : std::nullopt;
}

struct ScriptSettings {
  bool transaction = true;
  bool placeholders = true;
};

class FlywayFolder {
 public:
  FlywayFolder(const std::vector<ForeignFile>& files, const ForeignOptions& options) : files_(files), options_(options) {}

  ForeignFolder read() {
    for (const ForeignFile& file : files_) {
      if (file.name.ends_with(".conf")) {
        read_settings(file);
      }
    }
    for (const ForeignFile& file : files_) {
      const std::string_view name = base_name(file.name);
      if (name.ends_with(".java") || name.ends_with(".class") || name.ends_with(".kt")) {
        add_code(file, name);
      } else if (name.ends_with(".sql")) {
        add_sql(file, name);
      }
    }
    pair_undo();
    order_revisions(folder_, comes_before);
    return std::move(folder_);
  }

 private:
  void refuse(const ForeignFile& file, int line, std::string reason) {
    folder_.refused.push_back({file.name, line, std::move(reason)});
  }

  // V1__x.sql.conf: settings of one script.
  void read_settings(const ForeignFile& file) {
    if (!file.name.ends_with(".sql.conf")) {
      return;  // Flyway's own configuration
    }
    ScriptSettings& settings = settings_[file.name.substr(0, file.name.size() - std::string_view(".conf").size())];
    for (const TextLine& line : lines_of(file.bytes)) {
      const std::string_view text = trim(line.text);
      if (text.empty() || text.starts_with('#')) {
        continue;
      }
      const std::size_t cut = std::min(text.find('='), text.size());
      const std::string_view key = trim(text.substr(0, cut));
      const std::string_view value = cut < text.size() ? trim(text.substr(cut + 1)) : std::string_view();
      if (key == "executeInTransaction") {
        settings.transaction = value != "false";
      } else if (key == "placeholderReplacement") {
        settings.placeholders = value != "false";
      } else if (key != "encoding" || !same_word(value, "utf-8")) {
        refuse(file, line.number, "the setting \"" + std::string(key) + "\" is not known");
      }
    }
  }

  void add_code(const ForeignFile& file, std::string_view name) {
    const auto script = parse_name(without_extension(name));
    if (!script || script->kind != 'V') {
      return;  // other classes of the project
    }
    ForeignRevision revision;
    revision.version = script->version;
    revision.message = script->description;
    revision.file = file.name;
    revision.unreadable = "written in Java or Kotlin";
    revision.irreversible = "its Flyway migration is no SQL";
    folder_.revisions.push_back(std::move(revision));
  }

  void add_sql(const ForeignFile& file, std::string_view name) {
    const auto script = parse_name(without_extension(name));
    if (!script) {
      folder_.left_out.push_back({file.name, 0, "not called V…__…, U…__… or R__…: a callback, or no migration"});
      return;
    }
    if (script->kind == 'B') {
      refuse(file, 0, "a baseline script, which Flyway runs instead of the versions below it: remove it, or those versions");
      return;
    }
    const auto text = foreign_text(file, folder_);
    if (!text) {
      return;
    }
    const auto found = settings_.find(file.name);
    const ScriptSettings settings = found == settings_.end() ? ScriptSettings{} : found->second;
    std::vector<std::string> missing;
    ForeignSection section;
    section.sql = settings.placeholders ? fill_placeholders(*text, options_, missing) : *text;
    section.file = file.name;
    section.transaction = settings.transaction;
    for (const std::string& placeholder : missing) {
      refuse(file, static_cast<int>(line_of(*text, text->find("${" + placeholder + "}"))),
             "the placeholder ${" + placeholder + "} has no value: set it with --placeholder " + placeholder + "=VALUE");
    }
    if (script->kind == 'U') {
      undo_.emplace_back(script->version, std::move(section));
      return;
    }
    ForeignRevision revision;
    revision.version = script->kind == 'R' ? std::string(kRepeatable) + script->description : script->version;
    revision.message = script->description;
    revision.file = file.name;
    // A repeatable script runs again when its placeholders change, so its checksum includes their values.
    revision.checksum = flyway_checksum(script->kind == 'R' ? section.sql : file.bytes);
    revision.up.push_back(std::move(section));
    if (script->kind == 'R') {
      revision.irreversible = "a repeatable script of Flyway has no way back";
      repeatable_ = true;
    }
    folder_.revisions.push_back(std::move(revision));
  }

  void pair_undo() {
    for (auto& [version, section] : undo_) {
      const auto found = std::ranges::find_if(folder_.revisions, [&](const ForeignRevision& revision) {
        return !revision.version.starts_with(kRepeatable) && version_parts(revision.version) == version_parts(version);
      });
      if (found == folder_.revisions.end()) {
        folder_.refused.push_back({section.file, 0, "is the undo script of a version without a V script"});
      } else {
        found->down.push_back(std::move(section));
      }
    }
    for (ForeignRevision& revision : folder_.revisions) {
      if (revision.down.empty() && revision.irreversible.empty()) {
        revision.irreversible = std::string(base_name(revision.file)) + " has no undo script";
      }
    }
    if (repeatable_) {
      folder_.warnings.emplace_back(
          "repeatable scripts became revisions after the versions: write later changes as new revisions");
    }
  }

  const std::vector<ForeignFile>& files_;
  const ForeignOptions& options_;
  ForeignFolder folder_;
  std::map<std::string, ScriptSettings> settings_;
  std::vector<std::pair<std::string, ForeignSection>> undo_;
  bool repeatable_ = false;
};

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& options) {
  return FlywayFolder(files, options).read();
}

constexpr std::array<std::string_view, 6> kColumns{"version", "description", "type", "script", "checksum", "success"};
enum Column : std::size_t { kVersion, kDescription, kType, kScript, kChecksum, kSuccess };

// Processes the rows in the order in which Flyway wrote them.
class FlywayHistory {
 public:
  explicit FlywayHistory(const ForeignFolder& folder) : folder_(folder) {}

  Result<std::size_t> read(const ForeignRows& rows) {
    for (const auto& row : rows) {
      TRY(take(row));
    }
    if (!failed_.empty()) {
      return fail(half_done(kFlywayFormat, *failed_.begin(),
                            "find out which of its statements took effect, undo them by hand, and run `flyway repair`, which "
                            "removes the failed row; then run `flyway migrate`"));
    }
    for (const ForeignRevision& revision : folder_.revisions) {
      TRY(compare(revision));
    }
    return applied_beginning(kFlywayFormat, folder_, applied_);
  }

 private:
  // The version as spelled in the folder: the same number can be written in different ways.
  [[nodiscard]] std::string known_version(const std::string& version) const {
    const auto found = std::ranges::find_if(folder_.revisions, [&](const ForeignRevision& revision) {
      return !revision.version.starts_with(kRepeatable) && version_parts(revision.version) == version_parts(version);
    });
    return found == folder_.revisions.end() ? version : found->version;
  }

  Result<void> take(const std::vector<std::optional<std::string>>& row) {
    const std::string type = cell_text(row, kType);
    const bool numbered = kVersion < row.size() && row[kVersion].has_value();
    const std::string version =
        numbered ? known_version(cell_text(row, kVersion)) : std::string(kRepeatable) + cell_text(row, kDescription);
    const bool success = cell_text(row, kSuccess) == "true";
    if (type == "SCHEMA") {
      return {};
    }
    if (type == "DELETE" || type.starts_with("UNDO")) {
      applied_.erase(version);
      failed_.erase(version);
      checksums_.erase(version);
      if (!success) {
        failed_.insert(version);
      }
      return {};
    }
    if (type == "BASELINE") {
      for (const ForeignRevision& revision : folder_.revisions) {
        if (!revision.version.starts_with(kRepeatable) && !smaller_version(version, revision.version)) {
          applied_.insert(revision.version);
        }
      }
      return {};
    }
    if (!success) {
      failed_.insert(version);
      return {};
    }
    failed_.erase(version);
    applied_.insert(version);
    checksums_[version] = cell_text(row, kChecksum);
    return {};
  }

  // A changed repeatable script is pending; a changed version means a different history.
  Result<void> compare(const ForeignRevision& revision) {
    const auto recorded = checksums_.find(revision.version);
    if (recorded == checksums_.end() || recorded->second.empty() || revision.checksum.empty() ||
        recorded->second == revision.checksum) {
      return {};
    }
    if (revision.version.starts_with(kRepeatable)) {
      applied_.erase(revision.version);
      return {};
    }
    return fail(changed_since(kFlywayFormat, revision,
                              "check out the file as of the time it was applied; if the change does not affect the schema, "
                              "accept it with `flyway repair`"));
  }

  const ForeignFolder& folder_;
  std::set<std::string> applied_;
  std::set<std::string> failed_;
  std::map<std::string, std::string> checksums_;
};

Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  return FlywayHistory(folder).read(rows);
}

}  // namespace

const ForeignFormat kFlywayFormat{.name = "flyway",
                                  .title = "Flyway",
                                  .catch_up = "flyway migrate -outOfOrder=true",
                                  .recursive = true,
                                  .read_folder = read_folder,
                                  .table = "flyway_schema_history",
                                  .columns = kColumns,
                                  .order = "installed_rank",
                                  .read_history = read_history};

}  // namespace athanor
